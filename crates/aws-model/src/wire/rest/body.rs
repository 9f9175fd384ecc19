//! Bodies of the REST protocols, written and read.

use serde_json::{Map, Value};

use crate::protocol::Protocol;
use crate::shape::{Kind, Location, Member, Structure};
use crate::wire::scalar::{self, string, to_base64};
use crate::wire::{Call, WireError, Wired, json, members_of, xml, xml_body};

/// A body, with its type where the protocol says one.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: Option<&'static str>,
}

impl Body {
    /// The body of a request or response with that value.
    pub(crate) fn write(
        call: &Call<'_>,
        root: &Member,
        structure: &Structure,
        value: &Map<String, Value>,
        request: bool,
    ) -> Wired<Self> {
        let Some(payload) = structure.payload_member() else {
            return Self::of_members(call, root, structure, value, request);
        };
        let given = value.get(payload.name).filter(|value| !value.is_null());
        let below = |error: WireError| error.below(payload.name);
        if payload.traits.event_stream {
            return Err(
                WireError::new("streams of events are not written here").below(payload.name)
            );
        }
        match (&call.service.shape_of(payload).kind, given) {
            (Kind::Blob, given) => Ok(Self {
                bytes: given.map(scalar::blob).transpose().map_err(below)?.unwrap_or_default(),
                content_type: None,
            }),
            (Kind::String, given) => {
                let text = given.map(string).transpose().map_err(below)?.unwrap_or_default();
                Ok(Self { bytes: text.as_bytes().to_vec(), content_type: None })
            }
            (_, None) => Ok(if request { Self::empty(call.protocol) } else { Self::none() }),
            (_, Some(value)) if call.protocol == Protocol::RestJson => {
                Ok(Self::json(&json::encode(call.service, payload, value).map_err(below)?, request))
            }
            (_, Some(value)) => {
                let mut around = xml::Element::default();
                let name =
                    payload.traits.location_name.unwrap_or(call.service.shape_of(payload).name);
                xml_body::encode(call.service, payload, value, name, &mut around).map_err(below)?;
                Ok(Self::xml(around.children.first(), request))
            }
        }
    }

    fn of_members(
        call: &Call<'_>,
        root: &Member,
        structure: &Structure,
        value: &Map<String, Value>,
        request: bool,
    ) -> Wired<Self> {
        let belongs = |member: &Member| in_body(member, request);
        let any = structure.members.iter().any(belongs);
        if call.protocol == Protocol::RestJson {
            let members = json::encode_members(call.service, structure, value, belongs)?;
            // A response always has a body: clients of some languages insist on it.
            return Ok(if members.is_empty() && !any && request {
                Self::none()
            } else {
                Self::json(&Value::Object(members), request)
            });
        }
        let shape = call.service.shape_of(root).name;
        let mut element = xml::Element::new(root.traits.location_name.unwrap_or(shape));
        if let Some(namespace) = root.traits.xml_namespace().or(call.service.metadata.xml_namespace)
        {
            element.attributes.push(("xmlns".to_owned(), namespace.uri.to_owned()));
        }
        let given = value
            .iter()
            .any(|(name, value)| !value.is_null() && structure.member(name).is_some_and(belongs));
        xml_body::encode_members(call.service, structure, value, &mut element, belongs)?;
        Ok(if given || any && !request { Self::xml(Some(&element), request) } else { Self::none() })
    }

    fn none() -> Self {
        Self { bytes: Vec::new(), content_type: None }
    }

    fn empty(protocol: Protocol) -> Self {
        if protocol == Protocol::RestJson {
            Self { bytes: b"{}".to_vec(), content_type: Some("application/json") }
        } else {
            Self::none()
        }
    }

    fn json(value: &Value, request: bool) -> Self {
        let bytes = if request { json::request_text(value) } else { json::response_text(value) };
        Self { bytes, content_type: Some("application/json") }
    }

    /// Requests say no type: the services take it as it is, and boto3 sends none.
    fn xml(element: Option<&xml::Element>, request: bool) -> Self {
        let text = element.map(xml::Element::write).unwrap_or_default();
        Self { bytes: text.into_bytes(), content_type: (!request).then_some("application/xml") }
    }
}

/// Whether a member stands in the body: a response has neither path nor query.
fn in_body(member: &Member, request: bool) -> bool {
    match member.traits.location {
        None => true,
        Some(Location::Uri | Location::QueryString) => !request,
        Some(Location::StatusCode) => request,
        Some(Location::Header | Location::Headers) => false,
    }
}

/// What a body says, into the value.
pub(crate) fn read_body(
    call: &Call<'_>,
    structure: &Structure,
    body: &[u8],
    request: bool,
    into: &mut Map<String, Value>,
) -> Wired<()> {
    let Some(payload) = structure.payload_member() else {
        let belongs = |member: &Member| in_body(member, request);
        if body.is_empty() || !structure.members.iter().any(belongs) {
            return Ok(());
        }
        let mut read = if call.protocol == Protocol::RestJson {
            json::decode_members(
                call.service,
                structure,
                members_of(&json::parse(body)?)?,
                belongs,
            )?
        } else {
            xml_body::decode_members(
                call.service,
                structure,
                &unwrapped(structure, xml::parse(body)?),
                belongs,
            )?
        };
        into.append(&mut read);
        return Ok(());
    };
    let value = match &call.service.shape_of(payload).kind {
        _ if payload.traits.event_stream => {
            return Err(WireError::new("streams of events are not read here").below(payload.name));
        }
        Kind::Blob if payload.traits.streaming || !body.is_empty() => {
            Some(Value::String(to_base64(body)))
        }
        Kind::String if payload.traits.streaming || !body.is_empty() => {
            Some(Value::String(String::from_utf8_lossy(body).into_owned()))
        }
        _ if body.is_empty() => None,
        _ if call.protocol == Protocol::RestJson => {
            Some(json::decode(call.service, payload, &json::parse(body)?))
                .filter(|value| !matches!(value, Ok(Value::Null)))
                .transpose()?
        }
        _ => Some(
            xml_body::decode(call.service, payload, &[&xml::parse(body)?])
                .map_err(|error| error.below(payload.name))?,
        ),
    };
    if let Some(value) = value {
        into.insert(payload.name.to_owned(), value);
    }
    Ok(())
}

/// `<LocationConstraint>eu-west-1</LocationConstraint>`: a root that is its only member itself, as S3 answers `GetBucketLocation`.
fn unwrapped(structure: &Structure, root: xml::Element) -> xml::Element {
    let itself = root.children.is_empty()
        && structure.members.iter().any(|member| member.wire_name() == root.name);
    if !itself {
        return root;
    }
    xml::Element { children: vec![root], ..xml::Element::default() }
}
