//! Checksums by which clients see that a message came whole.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value};

/// Of a text, in hexadecimal.
pub(super) fn of(text: &[u8]) -> String {
    hex(&Md5::digest(text))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Of a message's attributes: by name, each part with its length before it.
pub(super) fn of_attributes(attributes: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort_unstable();
    let mut all = Vec::new();
    for name in names {
        let attribute = &attributes[name];
        put(&mut all, name.as_bytes());
        put(&mut all, attribute["DataType"].as_str().unwrap_or_default().as_bytes());
        if let Some(text) = attribute["BinaryValue"].as_str() {
            all.push(2);
            put(&mut all, &STANDARD.decode(text).unwrap_or_default());
        } else {
            all.push(1);
            put(&mut all, attribute["StringValue"].as_str().unwrap_or_default().as_bytes());
        }
    }
    of(&all)
}

fn put(all: &mut Vec<u8>, part: &[u8]) {
    all.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    all.extend(part);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn checksums_are_those_that_boto3_reckons() {
        assert_eq!(of(b"hello"), "5d41402abc4b2a76b9719d911017c592");
        let attributes = json!({
            "b": {"DataType": "Binary", "BinaryValue": "AAE="},
            "a": {"DataType": "String", "StringValue": "one"},
        });
        let attributes = attributes.as_object().expect("a map");
        assert_eq!(of_attributes(attributes), "dfb4d34140f875b33d6f84bd83778c16");
    }
}
