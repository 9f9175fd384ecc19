//! The model as the packed file spells it: botocore's JSON without its prose.

use serde::Deserialize;
use serde_json::{Map, Number, Value};

use crate::shape::{Location, TimestampFormat, Traits, XmlNamespace};
use crate::text::{Listed, Text};

#[derive(Deserialize)]
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
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
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
#[derive(Deserialize)]
#[serde(untagged, bound(deserialize = "'de: 'static"))]
pub(crate) enum RawError {
    Name(Text),
    Reference { shape: Text },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawHttp {
    pub(crate) method: Option<Text>,
    pub(crate) request_uri: Option<Text>,
    pub(crate) response_code: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawEndpoint {
    pub(crate) host_prefix: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawChecksum {
    pub(crate) request_algorithm_member: Option<Text>,
    #[serde(default)]
    pub(crate) request_checksum_required: bool,
    pub(crate) request_validation_mode_member: Option<Text>,
    #[serde(default)]
    pub(crate) response_algorithms: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawCompression {
    #[serde(default)]
    pub(crate) encodings: Vec<Text>,
}

#[derive(Deserialize)]
pub(crate) struct RawDiscovery {
    #[serde(default)]
    pub(crate) required: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawErrorTraits {
    pub(crate) code: Option<Text>,
    pub(crate) http_status_code: Option<u16>,
    #[serde(default)]
    pub(crate) sender_fault: bool,
}

#[derive(Deserialize)]
pub(crate) struct RawRetryable {
    #[serde(default)]
    pub(crate) throttling: bool,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawContext {
    pub(crate) name: Text,
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
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

#[derive(Deserialize)]
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
pub(crate) struct RawWaiter {
    pub(crate) operation: Text,
    pub(crate) delay: u32,
    pub(crate) max_attempts: u32,
    pub(crate) acceptors: Vec<RawAcceptor>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RawAcceptor {
    pub(crate) state: Text,
    pub(crate) matcher: Text,
    pub(crate) argument: Option<Text>,
    pub(crate) expected: Value,
}

/// Shapes and members say the same of themselves, and each something more.
macro_rules! with_traits {
    ($(#[$attribute:meta])* struct $name:ident { $($(#[$on:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
        pub(crate) struct $name {
            $($(#[$on])* pub(crate) $field: $type,)*
            location: Option<Text>,
            location_name: Option<Text>,
            query_name: Option<Text>,
            timestamp_format: Option<Text>,
            xml_namespace: Option<RawNamespace>,
            context_param: Option<RawContext>,
            #[serde(default)]
            sensitive: bool,
            #[serde(default)]
            idempotency_token: bool,
            #[serde(default)]
            streaming: bool,
            #[serde(default, rename = "jsonvalue")]
            json_value: bool,
            #[serde(default)]
            flattened: bool,
            #[serde(default, rename = "box")]
            boxed: bool,
            #[serde(default)]
            xml_attribute: bool,
            #[serde(default)]
            host_label: bool,
            #[serde(default, rename = "eventstream")]
            event_stream: bool,
            #[serde(default)]
            event: bool,
            #[serde(default, rename = "eventheader")]
            event_header: bool,
            #[serde(default, rename = "eventpayload")]
            event_payload: bool,
            #[serde(default)]
            sparse: bool,
            #[serde(default)]
            deprecated: bool,
        }

        impl $name {
            pub(crate) fn traits(&self) -> Traits {
                Traits {
                    location: self.location.and_then(|text| location(text.0)),
                    location_name: text(self.location_name),
                    query_name: text(self.query_name),
                    timestamp_format: self.timestamp_format.and_then(|text| timestamp_format(text.0)),
                    xml_namespace: self.xml_namespace.as_ref().map(RawNamespace::read),
                    context_param: self.context_param.as_ref().map(|context| context.name.0),
                    sensitive: self.sensitive,
                    idempotency_token: self.idempotency_token,
                    streaming: self.streaming,
                    json_value: self.json_value,
                    flattened: self.flattened,
                    boxed: self.boxed,
                    xml_attribute: self.xml_attribute,
                    host_label: self.host_label,
                    event_stream: self.event_stream,
                    event: self.event,
                    event_header: self.event_header,
                    event_payload: self.event_payload,
                    sparse: self.sparse,
                    deprecated: self.deprecated,
                }
            }
        }
    };
}

with_traits! {
    struct RawMember {
        shape: Text,
        result_wrapper: Option<Text>,
    }
}

with_traits! {
    struct RawShape {
        r#type: Text,
        #[serde(default)]
        members: Listed<RawMember>,
        #[serde(default)]
        required: Vec<Text>,
        member: Option<RawMember>,
        key: Option<RawMember>,
        value: Option<RawMember>,
        #[serde(default, rename = "enum")]
        enumeration: Vec<Text>,
        min: Option<Number>,
        max: Option<Number>,
        pattern: Option<Text>,
        payload: Option<Text>,
        #[serde(default)]
        union: bool,
        #[serde(default)]
        document: bool,
        #[serde(default)]
        exception: bool,
        #[serde(default)]
        fault: bool,
        error: Option<RawErrorTraits>,
        retryable: Option<RawRetryable>,
    }
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
