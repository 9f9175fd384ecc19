//! Forms of the query protocol and of EC2's kind of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::xml_body::{element_name, entry_names};
use super::{Call, Request, WireError, Wired, kind_of, members_of, scalar, uri};
use crate::protocol::Protocol;
use crate::service::Service;
use crate::shape::{Kind, Member, Structure, TimestampFormat};

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The request with that input.
pub(crate) fn request(call: &Call<'_>, input: &Value) -> Wired<Request> {
    let mut form = vec![
        ("Action".to_owned(), call.operation.name.to_owned()),
        ("Version".to_owned(), call.service.metadata.api_version.to_owned()),
    ];
    if let Some(root) = &call.operation.input {
        let writer = Writer { service: call.service, ec2: call.protocol == Protocol::Ec2 };
        writer.write(&mut form, root, input, "")?;
    }
    let pairs: Vec<_> = form
        .iter()
        .map(|(name, value)| format!("{}={}", uri::encode_form(name), uri::encode_form(value)))
        .collect();
    Ok(Request {
        method: call.operation.method.to_owned(),
        path: "/".to_owned(),
        headers: [("Content-Type", CONTENT_TYPE)].into_iter().collect(),
        body: pairs.join("&").into_bytes(),
        ..Request::default()
    })
}

/// The input that a request has.
pub(crate) fn read(call: &Call<'_>, request: &Request) -> Wired<Value> {
    let Some(root) = &call.operation.input else { return Ok(Value::Object(Map::new())) };
    let Kind::Structure(structure) = &call.service.shape_of(root).kind else {
        return Ok(Value::Object(Map::new()));
    };
    let body = String::from_utf8_lossy(&request.body);
    let mut tree = Node::default();
    for (name, value) in uri::pairs(&request.query).into_iter().chain(uri::pairs(&body)) {
        tree.put(&name, value);
    }
    let reader = Reader { service: call.service, ec2: call.protocol == Protocol::Ec2 };
    reader.structure(structure, &tree).map(Value::Object)
}

/// EC2 calls members otherwise than its responses do.
fn name_of(member: &Member, ec2: bool) -> String {
    match member.traits.query_name() {
        Some(name) if ec2 => name.to_owned(),
        _ if ec2 => capitalised(member.wire_name()),
        _ => member.wire_name().to_owned(),
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

struct Writer<'a> {
    service: &'a Service,
    ec2: bool,
}

impl Writer<'_> {
    fn write(
        &self,
        form: &mut Vec<(String, String)>,
        member: &Member,
        value: &Value,
        prefix: &str,
    ) -> Wired<()> {
        match &self.service.shape_of(member).kind {
            Kind::Structure(structure) => self.structure(form, structure, value, prefix),
            Kind::List(of) => self.list(form, member, of, value, prefix),
            Kind::Map(parts) => self.map(form, member, parts, value, prefix),
            _ => {
                form.push((
                    prefix.to_owned(),
                    scalar::encode(self.service, member, value, TimestampFormat::Iso8601)?,
                ));
                Ok(())
            }
        }
    }

    fn structure(
        &self,
        form: &mut Vec<(String, String)>,
        structure: &Structure,
        value: &Value,
        prefix: &str,
    ) -> Wired<()> {
        for (name, value) in members_of(value)? {
            let member = structure
                .member(name)
                .ok_or_else(|| WireError::new("there is no such member").below(name))?;
            if value.is_null() {
                continue;
            }
            let own = match element_name(self.service, member) {
                Some(element) if !self.ec2 => element.to_owned(),
                _ => name_of(member, self.ec2),
            };
            let full = if prefix.is_empty() { own } else { format!("{prefix}.{own}") };
            self.write(form, member, value, &full).map_err(|error| error.below(name))?;
        }
        Ok(())
    }

    fn list(
        &self,
        form: &mut Vec<(String, String)>,
        member: &Member,
        of: &Member,
        value: &Value,
        prefix: &str,
    ) -> Wired<()> {
        let Value::Array(list) = value else {
            return Err(WireError::new(format!("expected a list, not {}", kind_of(value))));
        };
        if list.is_empty() && !self.ec2 {
            form.push((prefix.to_owned(), String::new()));
        }
        let base = if self.ec2 || member.traits.flattened {
            prefix.to_owned()
        } else {
            format!("{prefix}.{}", of.traits.location_name.unwrap_or("member"))
        };
        for (place, item) in list.iter().enumerate() {
            self.write(form, of, item, &format!("{base}.{}", place + 1))
                .map_err(|error| error.at_index(place))?;
        }
        Ok(())
    }

    fn map(
        &self,
        form: &mut Vec<(String, String)>,
        member: &Member,
        parts: &(Member, Member),
        value: &Value,
        prefix: &str,
    ) -> Wired<()> {
        let base =
            if member.traits.flattened { prefix.to_owned() } else { format!("{prefix}.entry") };
        let (key_name, value_name) = entry_names(self.service, member, parts);
        for (place, (key, item)) in members_of(value)?.iter().enumerate() {
            let at = format!("{base}.{}", place + 1);
            form.push((format!("{at}.{key_name}"), key.clone()));
            self.write(form, &parts.1, item, &format!("{at}.{value_name}"))
                .map_err(|error| error.below(key))?;
        }
        Ok(())
    }
}

/// What a form says, as the tree that the dots in its names make.
#[derive(Debug, Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn put(&mut self, name: &str, value: String) {
        let mut node = self;
        for part in name.split('.') {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.value = Some(value);
    }

    /// The numbered nodes in it, in order.
    fn items(&self) -> Vec<&Self> {
        let mut items: Vec<(u32, &Self)> = self
            .children
            .iter()
            .filter_map(|(name, node)| Some((name.parse().ok()?, node)))
            .collect();
        items.sort_unstable_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, node)| node).collect()
    }
}

struct Reader<'a> {
    service: &'a Service,
    ec2: bool,
}

impl Reader<'_> {
    fn structure(&self, structure: &Structure, node: &Node) -> Wired<Map<String, Value>> {
        let mut read = Map::new();
        for member in &structure.members {
            let by_element =
                element_name(self.service, member).and_then(|name| node.children.get(name));
            let Some(node) = node.children.get(&name_of(member, self.ec2)).or(by_element) else {
                continue;
            };
            read.insert(
                member.name.to_owned(),
                self.value(member, node).map_err(|error| error.below(member.name))?,
            );
        }
        Ok(read)
    }

    fn value(&self, member: &Member, node: &Node) -> Wired<Value> {
        match &self.service.shape_of(member).kind {
            Kind::Structure(structure) => self.structure(structure, node).map(Value::Object),
            Kind::List(of) => {
                let flat = self.ec2 || member.traits.flattened;
                let within = if flat {
                    Some(node)
                } else {
                    node.children.get(of.traits.location_name.unwrap_or("member"))
                };
                let items = within.map(Node::items).unwrap_or_default();
                let items = items.iter().enumerate().map(|(place, item)| {
                    self.value(of, item).map_err(|error| error.at_index(place))
                });
                items.collect::<Wired<_>>().map(Value::Array)
            }
            Kind::Map(parts) => {
                let within =
                    if member.traits.flattened { Some(node) } else { node.children.get("entry") };
                let (key_name, value_name) = entry_names(self.service, member, parts);
                let mut map = Map::new();
                for entry in within.map(Node::items).unwrap_or_default() {
                    let key = entry.children.get(key_name).and_then(|key| key.value.clone());
                    let key =
                        key.ok_or_else(|| WireError::new(format!("an entry has no `{key_name}`")))?;
                    let Some(value) = entry.children.get(value_name) else { continue };
                    let value = self.value(&parts.1, value).map_err(|error| error.below(&key))?;
                    map.insert(key, value);
                }
                Ok(Value::Object(map))
            }
            _ => scalar::decode(self.service, member, node.value.as_deref().unwrap_or_default()),
        }
    }
}
