//! Members whose values are written otherwise in a playbook than on the wire: bytes.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use engine::aws::model::{Found, Kind, Member, Service};
use engine::regular_file;
use engine::step::{Context, StepError};

/// It is held in memory until it has arrived.
const LARGEST_FILE: u64 = 256 << 20;

/// An input, for the wire and for people.
pub(super) struct Prepared {
    pub(super) input: Map<String, Value>,
    /// With the names of files in place of their content, and text in place of base64.
    pub(super) shown: Map<String, Value>,
}

/// What a playbook has written as the input of an operation.
pub(super) async fn prepared(
    cx: &Context,
    found: &Found,
    written: Value,
) -> Result<Prepared, StepError> {
    let Value::Object(shown) = &written else {
        return Ok(Prepared { input: Map::new(), shown: Map::new() });
    };
    let mut bytes = Bytes { service: found.service, files: Vec::new() };
    let Some(root) = &found.operation.input else {
        return Ok(Prepared { input: shown.clone(), shown: shown.clone() });
    };
    let (mut input, shown) = bytes.value(root, &written, &mut Vec::new());
    for (path, file) in bytes.files {
        let content = read(cx, &file).await.map_err(|message| StepError::Input {
            field: path.clone(),
            message,
            help: Some(
                "give the path of a file, relative to the playbook, in the playbook's repository"
                    .to_owned(),
            ),
        })?;
        let encoded = Value::from(BASE64_STANDARD.encode(content));
        put(&mut input, &path, encoded);
    }
    Ok(Prepared { input: object(input), shown: object(shown) })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Sets what is at a path.
fn put(whole: &mut Value, path: &[String], value: Value) {
    let Some((step, rest)) = path.split_first() else {
        *whole = value;
        return;
    };
    let next = match whole {
        Value::Object(map) => map.get_mut(step),
        Value::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
        _ => None,
    };
    if let Some(next) = next {
        put(next, rest, value);
    }
}

async fn read(cx: &Context, file: &str) -> Result<Vec<u8>, String> {
    let path = cx.directory.join(Path::new(file));
    let root = cx.root.to_path_buf();
    let name = file.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let path = path.canonicalize()?;
        if !root.canonicalize().is_ok_and(|root| path.starts_with(root)) {
            return Err(std::io::Error::other("it lies outside the playbook's repository"));
        }
        regular_file::read(&path, LARGEST_FILE)
    });
    let read = read.await.map_err(|error| error.to_string())?;
    read.map_err(|error| format!("`{name}` cannot be read: {error}"))
}

struct Bytes<'s> {
    service: &'s Service,
    /// Where the content of files stands, and their names.
    files: Vec<(Vec<String>, String)>,
}

impl Bytes<'_> {
    /// A value for the wire, and for people.
    fn value(&mut self, member: &Member, value: &Value, path: &mut Vec<String>) -> (Value, Value) {
        match (&self.service.shape_of(member).kind, value) {
            (Kind::Blob, value) => self.bytes(value, path),
            (Kind::Structure(structure), Value::Object(map)) if !structure.document => {
                self.each(map, path, |name| structure.member(name))
            }
            (Kind::Map(parts), Value::Object(map)) => self.each(map, path, |_| Some(&parts.1)),
            (Kind::List(of), Value::Array(items)) => {
                let mut pairs = (Vec::new(), Vec::new());
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    let (wire, shown) = self.value(of, item, path);
                    path.pop();
                    pairs.0.push(wire);
                    pairs.1.push(shown);
                }
                (Value::Array(pairs.0), Value::Array(pairs.1))
            }
            (_, value) => (value.clone(), value.clone()),
        }
    }

    fn each<'m>(
        &mut self,
        map: &Map<String, Value>,
        path: &mut Vec<String>,
        member: impl Fn(&str) -> Option<&'m Member>,
    ) -> (Value, Value) {
        let mut pairs = (Map::new(), Map::new());
        for (name, value) in map {
            path.push(name.clone());
            let (wire, shown) = match member(name) {
                Some(member) => self.value(member, value, path),
                None => (value.clone(), value.clone()),
            };
            path.pop();
            pairs.0.insert(name.clone(), wire);
            pairs.1.insert(name.clone(), shown);
        }
        (Value::Object(pairs.0), Value::Object(pairs.1))
    }

    fn bytes(&mut self, value: &Value, path: &[String]) -> (Value, Value) {
        let encoded = |text: &str| Value::from(BASE64_STANDARD.encode(text));
        match value {
            // What is not known yet stays what it is.
            Value::String(text) if text.contains('⟨') => (value.clone(), value.clone()),
            Value::String(text) => (encoded(text), value.clone()),
            Value::Object(map) => match map.iter().next() {
                Some((key, Value::String(file))) if key == "file" => {
                    self.files.push((path.to_vec(), file.clone()));
                    (Value::from(""), Value::from(format!("fileb://{file}")))
                }
                Some((key, Value::String(text))) if key == "base64" => {
                    (Value::from(text.as_str()), Value::from(text.as_str()))
                }
                Some((key, data)) if key == "json" => {
                    let text = data.to_string();
                    if text.contains('⟨') {
                        return (Value::from(text.clone()), Value::from(text));
                    }
                    (encoded(&text), Value::from(text))
                }
                _ => (value.clone(), value.clone()),
            },
            _ => (value.clone(), value.clone()),
        }
    }
}

/// An output as playbooks see it: bytes as the text that they are, or as base64 where they are none.
pub(super) fn readable(found: &Found, mut output: Value) -> Value {
    if let Some(root) = &found.operation.output {
        make_readable(found.service, root, &mut output);
    }
    output
}

fn make_readable(service: &Service, member: &Member, value: &mut Value) {
    match (&service.shape_of(member).kind, value) {
        (Kind::Blob, Value::String(text)) => {
            let decoded = BASE64_STANDARD.decode(text.as_bytes()).ok();
            if let Some(decoded) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                *text = decoded;
            }
        }
        (Kind::Structure(structure), Value::Object(map)) if !structure.document => {
            for (name, value) in map {
                if let Some(member) = structure.member(name) {
                    make_readable(service, member, value);
                }
            }
        }
        (Kind::Map(parts), Value::Object(map)) => {
            for value in map.values_mut() {
                make_readable(service, &parts.1, value);
            }
        }
        (Kind::List(of), Value::Array(items)) => {
            for item in items {
                make_readable(service, of, item);
            }
        }
        _ => {}
    }
}
