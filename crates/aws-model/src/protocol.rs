//! Which ways there are to write requests.

/// How a service's requests and responses are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// JSON with the operation in `X-Amz-Target`, version 1.0.
    Json10,
    /// The same, version 1.1.
    Json11,
    /// Methods, paths and headers, with JSON bodies.
    RestJson,
    /// Methods, paths and headers, with XML bodies.
    RestXml,
    /// Forms, answered with XML.
    Query,
    /// EC2's kind of the query protocol.
    Ec2,
    /// CBOR, with the operation in the path.
    RpcV2Cbor,
}

impl Protocol {
    /// The protocol that the model calls by that name.
    pub(crate) fn named(name: &str, json_version: Option<&str>) -> Option<Self> {
        Some(match name {
            "json" if json_version == Some("1.1") => Self::Json11,
            "json" => Self::Json10,
            "rest-json" => Self::RestJson,
            "rest-xml" => Self::RestXml,
            "query" => Self::Query,
            "ec2" => Self::Ec2,
            "smithy-rpc-v2-cbor" => Self::RpcV2Cbor,
            _ => return None,
        })
    }

    /// Its name, as people say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json10 => "json 1.0",
            Self::Json11 => "json 1.1",
            Self::RestJson => "rest-json",
            Self::RestXml => "rest-xml",
            Self::Query => "query",
            Self::Ec2 => "ec2",
            Self::RpcV2Cbor => "rpc-v2-cbor",
        }
    }

    /// Which protocol a client prefers, where a service speaks several: boto3's order, in which those that every server knows go
    /// before those that are denser.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Json10 | Self::Json11 => 0,
            Self::RestJson => 1,
            Self::RestXml => 2,
            Self::RpcV2Cbor => 3,
            Self::Query => 4,
            Self::Ec2 => 5,
        }
    }

    /// Operations are told apart by method and path.
    pub fn is_rest(self) -> bool {
        matches!(self, Self::RestJson | Self::RestXml)
    }
}
