//! What counts as the same in the protocol tests: their bodies are laid out for people.

use serde_json::Value;

use crate::protocol::Protocol;
use crate::service::Service;
use crate::shape::Location;
use crate::wire::scalar::{from_base64, to_base64};
use crate::wire::{Request, cbor, decimal, xml};

/// Values are the same where their numbers are, however they are written.
pub(super) fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => decimal::read(one) == decimal::read(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| same_value(one, other)))
        }
        _ => one == other,
    }
}

fn same_item(one: &cbor::Item, other: &cbor::Item) -> bool {
    use cbor::Item::{Double, Integer, List, Map, Single, Tagged};
    let number = |item: &cbor::Item| match item {
        #[expect(clippy::cast_precision_loss, reason = "numbers of tests are small")]
        Integer(number) => Some(*number as f64),
        Single(number) => Some(f64::from(*number)),
        Double(number) => Some(*number),
        _ => None,
    };
    match (one, other) {
        (List(one), List(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| same_item(one, other))
        }
        (Map(entries), Map(others)) => {
            entries.len() == others.len()
                && entries
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| same_item(one, other)))
        }
        (Tagged(tag, one), Tagged(other_tag, other)) => tag == other_tag && same_item(one, other),
        _ => match (number(one), number(other)) {
            (Some(one), Some(other)) => {
                (one.is_nan() && other.is_nan()) || one.to_bits() == other.to_bits()
            }
            _ => one == other,
        },
    }
}

/// A body as the tests would have it.
pub(super) fn as_test(protocol: Protocol, body: &[u8]) -> String {
    if protocol == Protocol::RpcV2Cbor {
        to_base64(body)
    } else {
        String::from_utf8_lossy(body).into_owned()
    }
}

fn trimmed(mut element: xml::Element) -> xml::Element {
    element.text = element.text.trim().to_owned();
    element.attributes.sort();
    element.children = element.children.into_iter().map(trimmed).collect();
    element
}

/// Whether a body is the one that a test expects.
pub(super) fn same_body(
    protocol: Protocol,
    body: &[u8],
    expected: Option<&str>,
) -> Result<(), String> {
    let Some(expected) = expected else { return Ok(()) };
    let text = String::from_utf8_lossy(body);
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let same = match protocol {
        Protocol::RpcV2Cbor if body.is_empty() => expected.is_empty(),
        Protocol::RpcV2Cbor => {
            let items =
                (cbor::parse(body), cbor::parse(&from_base64(expected).expect("it is base64")));
            matches!(items, (Ok(one), Ok(other)) if same_item(&one, &other))
        }
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            match (json(&text), json(expected)) {
                (Some(one), Some(other)) => same_value(&one, &other),
                (None, None) => text == expected,
                _ => false,
            }
        }
        Protocol::RestXml => match (xml::parse(body), xml::parse(expected.as_bytes())) {
            (Ok(one), Ok(other)) => trimmed(one) == trimmed(other),
            _ => text == expected,
        },
        Protocol::Query | Protocol::Ec2 => text.replace('+', "%20") == expected.replace('+', "%20"),
    };
    if same { Ok(()) } else { Err(format!("its body is {text}, not {expected}")) }
}

/// Whether the headers that a test expects are there, and those that it forbids are not.
pub(super) fn same_headers(
    request: &Request,
    expected: &Value,
    service: &Service,
) -> Result<(), String> {
    let protocol = service.metadata.protocol;
    let list = |name: &str| {
        let is = |member: &&crate::shape::Member| {
            member.traits.location == Some(Location::Header)
                && member.wire_name().eq_ignore_ascii_case(name)
        };
        service.input_of(&service.operations[0]).iter().any(|member| is(&member))
    };
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let content_type = name.eq_ignore_ascii_case("content-type");
        let value = match protocol {
            // boto3 says which encoding a form has.
            Protocol::Query | Protocol::Ec2 if content_type => format!("{value}; charset=utf-8"),
            // It sends no type for XML, nor for bodies that are bytes or text.
            Protocol::RestXml if content_type && value == "application/xml" => continue,
            Protocol::RestXml | Protocol::RestJson
                if content_type
                    && !request.headers.contains(name)
                    && value != "application/json" =>
            {
                continue;
            }
            _ if list(name) => value.replace(", ", ","),
            _ => value.to_owned(),
        };
        let actual = request
            .headers
            .get(name)
            .map(|actual| if list(name) { actual.replace(", ", ",") } else { actual.to_owned() });
        if actual.as_deref() != Some(value.as_str()) {
            return Err(format!("its header {name} is {actual:?}, not {value}"));
        }
    }
    for name in expected["forbidHeaders"].as_array().into_iter().flatten().filter_map(Value::as_str)
    {
        if request.headers.contains(name) {
            return Err(format!("it has a header {name}"));
        }
    }
    Ok(())
}
