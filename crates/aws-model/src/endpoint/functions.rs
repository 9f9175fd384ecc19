//! The functions that endpoint rules call.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{EndpointError, Resolved, partition_of};
use crate::wire::percent_encode;

/// What is known by name while rules are followed.
pub(super) type Scope = HashMap<String, Value>;

/// Whether a condition with that value holds.
pub(super) fn holds(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// What an expression of the rules is.
pub(super) fn value_of(said: &Value, scope: &Scope) -> Resolved<Value> {
    if let Some(name) = said["ref"].as_str() {
        return Ok(scope.get(name).cloned().unwrap_or_default());
    }
    if let Some(function) = said["fn"].as_str() {
        let arguments =
            said["argv"].as_array().into_iter().flatten().map(|argument| value_of(argument, scope));
        return call(function, &arguments.collect::<Resolved<Vec<_>>>()?);
    }
    if said.is_string() { text_of(said, scope).map(Value::String) } else { Ok(said.clone()) }
}

/// What a text of the rules says, with what stands in braces filled: `{Region}`, `{url#authority}`.
pub(super) fn text_of(said: &Value, scope: &Scope) -> Resolved<String> {
    let Some(template) = said.as_str() else {
        let value = value_of(said, scope)?;
        return value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| EndpointError::Unknown(format!("{said} for a text")));
    };
    let mut text = String::new();
    let mut rest = template;
    while let Some(place) = rest.find(['{', '}']) {
        text.push_str(&rest[..place]);
        let (brace, after) = rest[place..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let (name, after) =
            after.split_once('}').ok_or_else(|| EndpointError::Unknown(template.to_owned()))?;
        let (name, part) =
            name.split_once('#').map_or((name, None), |(name, part)| (name, Some(part)));
        let value = scope.get(name).ok_or_else(|| EndpointError::Missing(name.to_owned()))?;
        let value = part.map_or_else(|| value.clone(), |part| attribute(value, part));
        text.push_str(
            value.as_str().ok_or_else(|| EndpointError::Unknown(format!("`{name}` for a text")))?,
        );
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn call(function: &str, arguments: &[Value]) -> Resolved<Value> {
    let nothing = Value::Null;
    let argument = |place: usize| arguments.get(place).unwrap_or(&nothing);
    let text = |place: usize| argument(place).as_str();
    let truth = |place: usize| argument(place).as_bool().unwrap_or(false);
    Ok(match function {
        "isSet" => json!(!argument(0).is_null()),
        "not" => json!(!holds(argument(0))),
        "booleanEquals" | "stringEquals" => {
            json!(!argument(0).is_null() && argument(0) == argument(1))
        }
        "getAttr" => attribute(argument(0), text(1).unwrap_or_default()),
        "aws.partition" => text(0).map_or(Value::Null, |region| partition_of(region).clone()),
        "aws.parseArn" => text(0).and_then(parse_arn).unwrap_or_default(),
        "aws.isVirtualHostableS3Bucket" => {
            json!(text(0).is_some_and(|name| is_hostable_bucket(name, truth(1))))
        }
        "isValidHostLabel" => json!(text(0).is_some_and(|label| is_host_label(label, truth(1)))),
        "parseURL" => text(0).and_then(parse_url).unwrap_or_default(),
        "uriEncode" => text(0).map_or(Value::Null, |text| json!(percent_encode(text))),
        "substring" => {
            let number = |place: usize| {
                argument(place).as_u64().and_then(|number| usize::try_from(number).ok())
            };
            let part = text(0).zip(number(1)).zip(number(2));
            part.and_then(|((text, start), stop)| substring(text, start, stop, truth(3)))
                .map_or(Value::Null, |part| json!(part))
        }
        other => return Err(EndpointError::Unknown(format!("the function {other}"))),
    })
}

/// What is at a path such as `resourceId[1]` or `a.b`.
fn attribute(value: &Value, path: &str) -> Value {
    let mut found = value.clone();
    for part in path.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        if !name.is_empty() {
            found = found.get(name).cloned().unwrap_or_default();
        }
        if part.contains('[') {
            found = index.and_then(|index| found.get(index).cloned()).unwrap_or_default();
        }
    }
    found
}

fn substring(text: &str, start: usize, stop: usize, reverse: bool) -> Option<&str> {
    if start >= stop || stop > text.len() || !text.is_ascii() {
        return None;
    }
    if reverse { text.get(text.len() - stop..text.len() - start) } else { text.get(start..stop) }
}

/// `arn:partition:service:region:account:resource`.
fn parse_arn(text: &str) -> Option<Value> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return None;
    };
    if partition.is_empty() || service.is_empty() || resource.is_empty() {
        return None;
    }
    let resource: Vec<&str> = resource.split([':', '/']).collect();
    Some(
        json!({"partition": partition, "service": service, "region": region, "accountId": account, "resourceId": resource}),
    )
}

fn is_host_label(label: &str, subdomains: bool) -> bool {
    if subdomains {
        return label.split('.').all(|part| is_host_label(part, false));
    }
    let ends = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    (1..=63).contains(&label.len())
        && ends(label.chars().next())
        && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        && ends(label.chars().last())
}

fn is_hostable_bucket(name: &str, subdomains: bool) -> bool {
    name.len() >= 3
        && !name.contains(|letter: char| letter.is_ascii_uppercase())
        && name.parse::<Ipv4Addr>().is_err()
        && is_host_label(name, subdomains)
}

fn parse_url(text: &str) -> Option<Value> {
    let (scheme, rest) = text.split_once("://")?;
    if !["http", "https"].contains(&scheme) || rest.contains(['?', '#']) {
        return None;
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |place| rest.split_at(place));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => port.parse::<u16>().ok().map(|_| host)?,
        _ => authority,
    };
    if host.is_empty() {
        return None;
    }
    let normalised = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
    let is_ip = host.parse::<Ipv4Addr>().is_ok() || host.starts_with('[') && host.ends_with(']');
    Some(
        json!({"scheme": scheme, "authority": authority, "path": path, "normalizedPath": normalised, "isIp": is_ip}),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{attribute, is_host_label, is_hostable_bucket, parse_arn, parse_url, substring};

    #[test]
    fn functions_say_what_the_rules_expect() {
        assert_eq!(attribute(&json!({"a": [{"b": 1}, 2]}), "a[1]"), json!(2));
        assert_eq!(attribute(&json!({"a": {"b": 1}}), "a.b"), json!(1));
        assert_eq!(attribute(&json!([]), "[0]"), json!(null));
        assert_eq!(substring("abcdef", 0, 2, true), Some("ef"));
        assert_eq!(substring("abc", 1, 9, false), None);
        assert!(
            is_host_label("a-b", false)
                && !is_host_label("a.b", false)
                && is_host_label("a.b", true)
                && !is_host_label("-a", false)
        );
        assert!(
            is_hostable_bucket("my-bucket", false)
                && !is_hostable_bucket("My", false)
                && !is_hostable_bucket("1.2.3.4", true)
        );
        assert!(parse_arn("arn:aws:s3:::b/k").is_some() && parse_arn("arn:aws:s3").is_none());
        assert_eq!(
            parse_url("http://127.0.0.1:8000/a").map(|url| url["isIp"].clone()),
            Some(json!(true))
        );
        assert!(
            parse_url("ftp://a").is_none()
                && parse_url("https://a?b").is_none()
                && parse_url("https://a:port").is_none()
        );
    }
}
