//! Data in and out of texts: JSON, YAML, CSV, base64, digests, tokens, regular expressions.
//!
//! Errors say what a text is not, never what it is: it may be a secret.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind};
use regex_lite::Regex;
use sha2::{Digest, Sha256};

use super::number::inexact_in_json;
use super::{kind, refusal};
use crate::diagnostic::{Code, SourceId};
use crate::document::{self, Node, NodeKind};
use crate::template::Value;
use crate::template::value::{from_json, to_json};

/// No list that is made of others has more items, no table more cells.
const MOST: usize = 200_000;

/// `tojson`
pub(in crate::template) fn to_json_text(value: &Value) -> String {
    to_json(value).to_string()
}

/// `fromjson`
pub(in crate::template) fn from_json_text(text: &str) -> Result<Value, Error> {
    // The parser's own message could quote the text.
    let json = serde_json::from_str(text)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "the string is not JSON"))?;
    if inexact_in_json(text).is_some() {
        return Err(too_long("JSON"));
    }
    Ok(from_json(&json))
}

fn too_long(format: &str) -> Error {
    refusal(
        format!("this {format} has a number of more digits than can be kept"),
        "have it written as text, in quotes",
    )
}

/// `fromyaml`
pub(in crate::template) fn from_yaml_text(text: &str) -> Result<Value, Error> {
    let node = match document::parse(SourceId::default(), text) {
        Ok(node) => node,
        Err(faults) if faults.iter().all(|fault| fault.code == Code::EmptyDocument) => {
            return Ok(Value::from(()));
        }
        Err(_) => {
            return Err(refusal(
                "the string is not YAML as it is read here",
                "YAML 1.2 without tags, one document",
            ));
        }
    };
    if holds_inexact(&node) {
        return Err(too_long("YAML"));
    }
    Ok(from_json(&document::to_json(&node)))
}

fn holds_inexact(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().any(holds_inexact),
        NodeKind::Mapping(entries) => entries.iter().any(|entry| holds_inexact(&entry.value)),
        _ => node.is_inexact_number(),
    }
}

/// `fromcsv`: a map for each line, by the names in the first; a list for each with `header=false`.
pub(in crate::template) fn from_csv_text(text: &str, kwargs: Kwargs) -> Result<Value, Error> {
    let header = kwargs.get::<Option<bool>>("header")?.unwrap_or(true);
    let delimiter = kwargs.get::<Option<&str>>("delimiter")?.unwrap_or(",");
    let mut characters = delimiter.chars();
    let (Some(delimiter), None) = (characters.next(), characters.next()) else {
        return Err(refusal("`delimiter` is one character", "write `delimiter=';'`"));
    };
    kwargs.assert_all_used()?;
    let mut rows = rows(text, delimiter)?.into_iter();
    if !header {
        return Ok(rows.map(Value::from).collect());
    }
    let Some(names) = rows.next() else { return Ok(Value::from(Vec::<Value>::new())) };
    let of_row = |(index, row): (usize, Vec<String>)| {
        if row.len() == names.len() {
            return Ok(Value::from_pairs(names.iter().cloned().zip(row)));
        }
        Err(refusal(
            format!("line {} has {} fields, the first has {}", index + 2, row.len(), names.len()),
            "give each line as many fields as there are names, or write `fromcsv(header=false)`",
        ))
    };
    rows.enumerate().map(of_row).collect::<Result<Vec<Value>, Error>>().map(Value::from)
}

/// The fields of each line, as RFC 4180 writes them; lines without anything are passed over.
fn rows(text: &str, delimiter: char) -> Result<Vec<Vec<String>>, Error> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut cells = 0;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut characters = text.chars().peekable();
    loop {
        let next = characters.next();
        match next {
            None if quoted => {
                return Err(refusal("a quote in this CSV is never closed", "close it with `\"`"));
            }
            Some('"') if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            Some('"') if quoted => quoted = false,
            Some(other) if quoted => field.push(other),
            Some('"') if field.is_empty() => quoted = true,
            Some('\r') if characters.peek() == Some(&'\n') => {}
            Some(other) if other == delimiter => {
                row.push(std::mem::take(&mut field));
                cells += 1;
            }
            None | Some('\n') => {
                if !(row.is_empty() && field.is_empty()) {
                    row.push(std::mem::take(&mut field));
                    cells += 1;
                    rows.push(std::mem::take(&mut row));
                }
                if next.is_none() {
                    return Ok(rows);
                }
            }
            Some(other) => field.push(other),
        }
        if cells > MOST {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
    }
}

/// `b64encode`
pub(in crate::template) fn to_base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// `b64decode`
pub(in crate::template) fn from_base64(text: &str) -> Result<String, Error> {
    let packed: String = text.chars().filter(|it| !it.is_ascii_whitespace()).collect();
    let bytes = BASE64_STANDARD
        .decode(&packed)
        .or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(packed.trim_end_matches('=')))
        .map_err(|_| refusal("the string is not base64", "leave `b64decode` out"))?;
    String::from_utf8(bytes)
        .map_err(|_| refusal("what this decodes to is no text", "only text can be decoded"))
}

/// `sha256`, in hexadecimal digits.
pub(in crate::template) fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// `jwt_payload`: what a token says, whether or not its signature is right.
pub(in crate::template) fn token_payload(text: &str) -> Result<Value, Error> {
    let refused =
        || refusal("the string is no JSON Web Token", "a token has three parts, joined by dots");
    let mut parts = text.trim().split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(refused());
    };
    let bytes =
        BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(|_| refused())?;
    let text = String::from_utf8(bytes).map_err(|_| refused())?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|_| refused())?;
    if !json.is_object() {
        return Err(refused());
    }
    if inexact_in_json(&text).is_some() {
        return Err(too_long("token"));
    }
    Ok(from_json(&json))
}

fn pattern(pattern: &str) -> Result<Regex, Error> {
    Regex::new(pattern).map_err(|_| {
        refusal("this is no regular expression", "write one such as '^[a-z]+$', in quotes")
    })
}

/// `regex_match`: whether a pattern is found in a text.
pub(in crate::template) fn matches(text: &str, expression: &str) -> Result<bool, Error> {
    pattern(expression).map(|pattern| pattern.is_match(text))
}

/// `regex_replace`: every match in a text, replaced; `$1` is what stands in the first brackets.
pub(in crate::template) fn replace(
    text: &str,
    expression: &str,
    with: &str,
) -> Result<String, Error> {
    let pattern = pattern(expression)?;
    let replaced = pattern.replace_all(text, with).into_owned();
    if replaced.len() > MOST.max(text.len()) {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    Ok(replaced)
}

/// `product`: every item of one list with every item of the other.
pub(in crate::template) fn product(left: &Value, right: &Value) -> Result<Value, Error> {
    let items = |value: &Value| match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            Ok(value.try_iter()?.take(MOST + 1).collect::<Vec<Value>>())
        }
        _ => Err(refusal(
            format!("`product` joins lists, this is {}", kind(value)),
            "write `list | product(other_list)`",
        )),
    };
    let (left, right) = (items(left)?, items(right)?);
    if left.len().saturating_mul(right.len()) > MOST {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    let pairs = left.iter().flat_map(|one| {
        right.iter().map(move |other| Value::from(vec![one.clone(), other.clone()]))
    });
    Ok(pairs.collect())
}
