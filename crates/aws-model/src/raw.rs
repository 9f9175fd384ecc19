//! The model as the packed file spells it: botocore's JSON without its prose.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::shape::{Location, TimestampFormat, Traits, XmlNamespace};
use crate::text::{Listed, Text};

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawService {
    pub(crate) metadata: RawMetadata,
    pub(crate) operations: Listed<RawOperation>,
    pub(crate) shapes: Listed<RawShape>,
    #[serde(default)]
    pub(crate) pagination: Listed<RawPages>,
    #[serde(default)]
    pub(crate) waiters: Listed<RawWaiter>,
    #[serde(default)]
    pub(crate) client_context_params: Map<String, Value>,
    #[serde(default)]
    pub(crate) undo: Listed<RawUndo>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawUndo {
    pub(crate) operation: Text,
    pub(crate) with: Listed<RawFilling>,
    #[serde(default)]
    pub(crate) optional: Listed<RawFilling>,
    pub(crate) from: Text,
    pub(crate) read: Option<RawRead>,
    pub(crate) gone: Option<Text>,
    #[serde(rename = "type")]
    pub(crate) resource_type: Option<Text>,
    #[serde(default)]
    pub(crate) upsert: bool,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawRead {
    pub(crate) operation: Text,
    pub(crate) with: Listed<RawFilling>,
    #[serde(default)]
    pub(crate) optional: Listed<RawFilling>,
}

#[derive(serde::Deserialize)]
#[serde(untagged, bound(deserialize = "'de: 'static"))]
pub(crate) enum RawFilling {
    Places(Vec<Text>),
    Value { value: Value },
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawMetadata {
    pub(crate) api_version: Option<Text>,
    pub(crate) endpoint_prefix: Option<Text>,
    pub(crate) global_endpoint: Option<Text>,
    pub(crate) json_version: Option<Text>,
    pub(crate) protocol: Text,
    #[serde(default)]
    pub(crate) protocols: Vec<Text>,
    pub(crate) service_full_name: Option<Text>,
    pub(crate) service_id: Option<Text>,
    pub(crate) signature_version: Option<Text>,
    pub(crate) signing_name: Option<Text>,
    #[serde(default)]
    pub(crate) auth: Vec<Text>,
    pub(crate) target_prefix: Option<Text>,
    pub(crate) xml_namespace: Option<RawNamespace>,
    pub(crate) aws_query_compatible: Option<Value>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawOperation {
    pub(crate) http: Option<RawHttp>,
    pub(crate) input: Option<RawMember>,
    pub(crate) output: Option<RawMember>,
    #[serde(default)]
    pub(crate) errors: Vec<RawError>,
    pub(crate) endpoint: Option<RawEndpoint>,
    #[serde(default)]
    pub(crate) auth: Vec<Text>,
    pub(crate) authtype: Option<Text>,
    #[serde(default)]
    pub(crate) unsigned_payload: bool,
    #[serde(default)]
    pub(crate) http_checksum_required: bool,
    pub(crate) http_checksum: Option<RawChecksum>,
    pub(crate) requestcompression: Option<RawCompression>,
    #[serde(default)]
    pub(crate) idempotent: bool,
    #[serde(default)]
    pub(crate) readonly: bool,
    #[serde(default)]
    pub(crate) deprecated: bool,
    pub(crate) endpointdiscovery: Option<RawDiscovery>,
    #[serde(default)]
    pub(crate) static_context_params: Map<String, Value>,
    #[serde(default)]
    pub(crate) operation_context_params: Map<String, Value>,
}

/// An error of an operation: its shape's name, or in botocore's own files a map that holds it.
#[derive(serde::Deserialize)]
#[serde(untagged, bound(deserialize = "'de: 'static"))]
pub(crate) enum RawError {
    Name(Text),
    Reference { shape: Text },
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawHttp {
    pub(crate) method: Option<Text>,
    pub(crate) request_uri: Option<Text>,
    pub(crate) response_code: Option<u16>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawEndpoint {
    pub(crate) host_prefix: Option<Text>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawChecksum {
    pub(crate) request_algorithm_member: Option<Text>,
    #[serde(default)]
    pub(crate) request_checksum_required: bool,
    pub(crate) request_validation_mode_member: Option<Text>,
    #[serde(default)]
    pub(crate) response_algorithms: Vec<Text>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawCompression {
    #[serde(default)]
    pub(crate) encodings: Vec<Text>,
}

#[derive(serde::Deserialize)]
pub(crate) struct RawDiscovery {
    #[serde(default)]
    pub(crate) required: bool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawErrorTraits {
    pub(crate) code: Option<Text>,
    pub(crate) http_status_code: Option<u16>,
    #[serde(default)]
    pub(crate) sender_fault: bool,
}

#[derive(serde::Deserialize)]
pub(crate) struct RawRetryable {
    #[serde(default)]
    pub(crate) throttling: bool,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawContext {
    pub(crate) name: Text,
}

#[derive(serde::Deserialize)]
#[serde(untagged, bound(deserialize = "'de: 'static"))]
pub(crate) enum RawNamespace {
    Uri(Text),
    Full { prefix: Option<Text>, uri: Text },
}

impl RawNamespace {
    pub(crate) fn read(&self) -> XmlNamespace {
        match self {
            Self::Uri(Text(uri)) => XmlNamespace { prefix: None, uri },
            Self::Full { prefix, uri } => XmlNamespace { prefix: text(*prefix), uri: uri.0 },
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawPages {
    #[serde(default)]
    pub(crate) input_token: OneOrMany,
    #[serde(default)]
    pub(crate) output_token: OneOrMany,
    #[serde(default)]
    pub(crate) result_key: OneOrMany,
    #[serde(default)]
    pub(crate) non_aggregate_keys: OneOrMany,
    pub(crate) limit_key: Option<Text>,
    pub(crate) more_results: Option<Text>,
}

#[derive(serde::Deserialize)]
#[serde(untagged, bound(deserialize = "'de: 'static"))]
pub(crate) enum OneOrMany {
    One(Text),
    Many(Vec<Text>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    pub(crate) fn read(&self) -> Vec<&'static str> {
        match self {
            Self::One(Text(one)) => vec![one],
            Self::Many(many) => many.iter().map(|text| text.0).collect(),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawWaiter {
    pub(crate) operation: Text,
    pub(crate) delay: u32,
    pub(crate) max_attempts: u32,
    pub(crate) acceptors: Vec<RawAcceptor>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawAcceptor {
    pub(crate) state: Text,
    pub(crate) matcher: Text,
    pub(crate) argument: Option<Text>,
    pub(crate) expected: Value,
}

/// A member, or the root of an input or output.
#[derive(Default)]
pub(crate) struct RawMember {
    pub(crate) shape: &'static str,
    pub(crate) result_wrapper: Option<&'static str>,
    pub(crate) traits: Traits,
}

/// A shape. Most keys stand at few of them, so what is rare is kept apart.
#[derive(Default)]
pub(crate) struct RawShape {
    pub(crate) kind: &'static str,
    pub(crate) members: Vec<(&'static str, RawMember)>,
    pub(crate) required: Vec<Text>,
    pub(crate) parts: [Option<Box<RawMember>>; 3],
    pub(crate) enumeration: Vec<&'static str>,
    pub(crate) min: Option<Number>,
    pub(crate) max: Option<Number>,
    pub(crate) pattern: Option<&'static str>,
    pub(crate) payload: Option<&'static str>,
    pub(crate) union: bool,
    pub(crate) document: bool,
    pub(crate) exception: bool,
    pub(crate) fault: bool,
    pub(crate) error: Option<Box<RawErrorTraits>>,
    pub(crate) retryable: Option<RawRetryable>,
    pub(crate) traits: Traits,
}

/// The elements, keys and values of lists and maps, in [`RawShape::parts`].
pub(crate) const MEMBER: usize = 0;
pub(crate) const KEY: usize = 1;
pub(crate) const VALUE: usize = 2;

/// Models have tens of thousands of members with one or two keys each: derived code, which keeps a place for each key that
/// there may be, takes three times as long as this.
macro_rules! read_by_key {
    ($name:ident, $word:literal, |$this:ident, $key:ident, $map:ident| $arms:expr) => {
        impl<'de: 'static> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Keys;
                impl<'de: 'static> Visitor<'de> for Keys {
                    type Value = $name;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str($word)
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<$name, A::Error> {
                        let mut $this = $name::default();
                        while let Some(Text($key)) = $map.next_key()? {
                            $arms
                        }
                        Ok($this)
                    }
                }
                deserializer.deserialize_map(Keys)
            }
        }
    };
}

read_by_key!(RawMember, "a member", |this, key, map| match key {
    "shape" => this.shape = map.next_value::<Text>()?.0,
    "resultWrapper" => this.result_wrapper = Some(map.next_value::<Text>()?.0),
    _ => read_trait(&mut this.traits, key, &mut map)?,
});

read_by_key!(RawShape, "a shape", |this, key, map| match key {
    "type" => this.kind = map.next_value::<Text>()?.0,
    "members" => this.members = map.next_value::<Listed<RawMember>>()?.0,
    "required" => this.required = map.next_value()?,
    "member" => this.parts[MEMBER] = Some(map.next_value()?),
    "key" => this.parts[KEY] = Some(map.next_value()?),
    "value" => this.parts[VALUE] = Some(map.next_value()?),
    "enum" =>
        this.enumeration = map.next_value::<Vec<Text>>()?.into_iter().map(|text| text.0).collect(),
    "min" => this.min = Some(map.next_value()?),
    "max" => this.max = Some(map.next_value()?),
    "pattern" => this.pattern = Some(map.next_value::<Text>()?.0),
    "payload" => this.payload = Some(map.next_value::<Text>()?.0),
    "union" => this.union = map.next_value()?,
    "document" => this.document = map.next_value()?,
    "exception" => this.exception = map.next_value()?,
    "fault" => this.fault = map.next_value()?,
    "error" => this.error = Some(map.next_value()?),
    "retryable" => this.retryable = Some(map.next_value()?),
    _ => read_trait(&mut this.traits, key, &mut map)?,
});

fn read_trait<'de: 'static, A: MapAccess<'de>>(
    traits: &mut Traits,
    key: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    match key {
        "location" => traits.location = location(map.next_value::<Text>()?.0),
        "locationName" => traits.location_name = Some(map.next_value::<Text>()?.0),
        "queryName" => {
            let read = map.next_value::<Text>()?.0;
            traits.set_rare(|rare| rare.query_name = Some(read));
        }
        "timestampFormat" => {
            traits.timestamp_format = timestamp_format(map.next_value::<Text>()?.0);
        }
        "xmlNamespace" => {
            let read = map.next_value::<RawNamespace>()?.read();
            traits.set_rare(|rare| rare.xml_namespace = Some(read));
        }
        "contextParam" => {
            let read = map.next_value::<RawContext>()?.name.0;
            traits.set_rare(|rare| rare.context_param = Some(read));
        }
        "sensitive" => traits.sensitive = map.next_value()?,
        "idempotencyToken" => traits.idempotency_token = map.next_value()?,
        "streaming" => traits.streaming = map.next_value()?,
        "jsonvalue" => traits.json_value = map.next_value()?,
        "flattened" => traits.flattened = map.next_value()?,
        "box" => traits.boxed = map.next_value()?,
        "xmlAttribute" => traits.xml_attribute = map.next_value()?,
        "hostLabel" => traits.host_label = map.next_value()?,
        "eventstream" => traits.event_stream = map.next_value()?,
        "event" => traits.event = map.next_value()?,
        "eventheader" => traits.event_header = map.next_value()?,
        "eventpayload" => traits.event_payload = map.next_value()?,
        "sparse" => traits.sparse = map.next_value()?,
        "deprecated" => traits.deprecated = map.next_value()?,
        _ => drop(map.next_value::<IgnoredAny>()?),
    }
    Ok(())
}

pub(crate) fn text(text: Option<Text>) -> Option<&'static str> {
    text.map(|text| text.0)
}

fn location(name: &str) -> Option<Location> {
    Some(match name {
        "uri" => Location::Uri,
        "querystring" => Location::QueryString,
        "header" => Location::Header,
        "headers" => Location::Headers,
        "statusCode" => Location::StatusCode,
        _ => return None,
    })
}

fn timestamp_format(name: &str) -> Option<TimestampFormat> {
    Some(match name.to_ascii_lowercase().as_str() {
        "iso8601" => TimestampFormat::Iso8601,
        "unixtimestamp" => TimestampFormat::Unix,
        "rfc822" => TimestampFormat::Rfc822,
        _ => return None,
    })
}
