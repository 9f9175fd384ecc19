//! Handlers as the text files have them.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A function.
pub(crate) struct Handler {
    pub(crate) name: String,
    pub(crate) is_python: bool,
    pub(crate) runtime: Option<String>,
    pub(crate) handler: String,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) events: Vec<String>,
    pub(crate) client: Option<String>,
    pub(crate) json_log: bool,
    pub(crate) level: Option<String>,
}

/// All of a text; the first line says what the main file of each is called.
pub(crate) fn parse(text: &str) -> Vec<Handler> {
    let (file, rest) = text.split_once('\n').unwrap();
    let sections = rest.split("#### ").skip(1);
    sections.map(|section| handler(section, file)).collect()
}

fn handler(section: &str, main_file: &str) -> Handler {
    let (name, rest) = section.split_once('\n').unwrap();
    let mut handler = Handler {
        name: name.trim().to_owned(),
        is_python: std::path::Path::new(main_file)
            .extension()
            .is_some_and(|extension| extension == "py"),
        runtime: None,
        handler: "m.handler".to_owned(),
        files: BTreeMap::new(),
        events: Vec::new(),
        client: None,
        json_log: false,
        level: None,
    };
    let mut file = main_file.to_owned();
    for line in rest.lines() {
        let Some(said) = line.strip_prefix("#! ") else {
            let text = handler.files.entry(file.clone()).or_default();
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let (key, value) = said.split_once(": ").unwrap_or_else(|| panic!("{name}: {said}"));
        match key {
            "event" => handler.events.push(value.to_owned()),
            "handler" => value.clone_into(&mut handler.handler),
            "file" => value.clone_into(&mut file),
            "runtime" => handler.runtime = Some(value.to_owned()),
            "log" => handler.json_log = value == "JSON",
            "level" => handler.level = Some(value.to_owned()),
            "client" => handler.client = Some(value.to_owned()),
            _ => panic!("{name}: `{key}` means nothing"),
        }
    }
    if handler.events.is_empty() {
        handler.events.push("{}".to_owned());
    }
    handler
}

/// A deployment package.
pub(crate) fn zip(files: &BTreeMap<String, String>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    for (name, text) in files {
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
