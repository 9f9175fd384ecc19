//! What every SDK of AWS does to an input that no model says: so that a step means what the same command of the AWS CLI means.

use aws_model::{Found, Location};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// What stands as it is in the place that an object is copied from.
const IN_PLACE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// An input as it is written into the request; or why it cannot be.
pub(super) fn customised(found: &Found, mut input: Value) -> Result<Value, String> {
    let Some(members) = input.as_object_mut() else { return Ok(input) };
    match (found.service.name, found.operation.name) {
        ("route53", _) => without_prefixes(found, members),
        ("ec2", "RunInstances") | ("autoscaling", "CreateLaunchConfiguration") => {
            encode(members, "UserData");
        }
        ("s3", _) => {
            add_key_digest(members, "SSECustomerKey");
            add_key_digest(members, "CopySourceSSECustomerKey");
            escape_source(members);
        }
        ("rds" | "neptune" | "docdb", _) => copy_from_elsewhere(found, members)?,
        _ => {}
    }
    Ok(input)
}

/// Route 53's answers say `/hostedzone/Z1`, its paths want `Z1`.
fn without_prefixes(found: &Found, members: &mut Map<String, Value>) {
    let in_path = found.service.input_of(found.operation);
    for member in in_path.iter().filter(|it| it.traits.location == Some(Location::Uri)) {
        if let Some(Value::String(id)) = members.get_mut(member.name)
            && let Some((_, bare)) = id.strip_prefix('/').and_then(|id| id.split_once('/'))
        {
            *id = bare.to_owned();
        }
    }
}

fn encode(members: &mut Map<String, Value>, name: &str) {
    if let Some(Value::String(text)) = members.get_mut(name) {
        *text = BASE64_STANDARD.encode(text.as_bytes());
    }
}

/// A customer's key for objects goes out as base64, with its digest beside it.
fn add_key_digest(members: &mut Map<String, Value>, name: &str) {
    let digest = format!("{name}MD5");
    if members.contains_key(&digest) {
        return;
    }
    let Some(key) = members.get(name).and_then(Value::as_str) else { return };
    let value = BASE64_STANDARD.encode(Md5::digest(key.as_bytes()));
    encode(members, name);
    members.insert(digest, Value::from(value));
}

/// Where an object is copied from is written as a part of an URL.
fn escape_source(members: &mut Map<String, Value>) {
    if let Some(Value::String(source)) = members.get_mut("CopySource") {
        let (object, version) =
            source.rfind("?versionId=").map_or((source.as_str(), ""), |at| source.split_at(at));
        *source = format!("{}{version}", utf8_percent_encode(object, IN_PLACE));
    }
}

/// A copy from another region takes a request for it there, which is part of the other one. `SourceRegion` itself is no member of AWS's.
fn copy_from_elsewhere(found: &Found, members: &mut Map<String, Value>) -> Result<(), String> {
    let takes_url =
        found.service.input_of(found.operation).iter().any(|it| it.name == "PreSignedUrl");
    if !takes_url
        || members.remove("SourceRegion").is_none()
        || members.contains_key("PreSignedUrl")
    {
        return Ok(());
    }
    Err("SourceRegion: it takes an URL that is signed for that region, which is not made here: give `PreSignedUrl`".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::customised;

    fn of(name: &str, input: Value) -> Result<Value, String> {
        customised(&aws_model::find(name).expect("it is there"), input)
    }

    #[test]
    fn ids_of_route_53_lose_what_stands_before_them() {
        let bare = Ok(json!({"Id": "Z1"}));
        assert_eq!(of("route53:DeleteHostedZone", json!({"Id": "/hostedzone/Z1"})), bare);
        assert_eq!(of("route53:DeleteHostedZone", json!({"Id": "Z1"})), bare);
    }

    #[test]
    fn what_the_command_line_encodes_is_encoded() {
        let user_data = of("ec2:RunInstances", json!({"UserData": "#!/bin/sh"}));
        assert_eq!(user_data, Ok(json!({"UserData": "IyEvYmluL3No"})));
        let copy = of("s3:CopyObject", json!({"CopySource": "b/a ü.txt?versionId=v/1"}));
        assert_eq!(copy, Ok(json!({"CopySource": "b/a%20%C3%BC.txt?versionId=v/1"})));
        let keyed = of("s3:GetObject", json!({"SSECustomerKey": "key"}));
        let digest = "PG4LipwVIkqCKLmpjKFTHQ==";
        assert_eq!(keyed, Ok(json!({"SSECustomerKey": "a2V5", "SSECustomerKeyMD5": digest})));
    }

    #[test]
    fn a_copy_from_another_region_needs_its_url() {
        let without = of("rds:CopyDBSnapshot", json!({"SourceRegion": "eu-west-1"}));
        assert!(without.is_err_and(|why| why.contains("give `PreSignedUrl`")));
        let with = json!({"SourceRegion": "eu-west-1", "PreSignedUrl": "https://x"});
        assert_eq!(of("rds:CopyDBSnapshot", with), Ok(json!({"PreSignedUrl": "https://x"})));
    }
}
