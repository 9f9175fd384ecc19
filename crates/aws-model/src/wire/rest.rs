//! What the REST protocols put beside the body: labels of the path, queries, headers, the status.

use serde_json::{Map, Value};

use super::header::Headers;
use super::scalar::{from_base64, string, to_base64};
use super::{
    Call, Request, WireError, Wired, json, kind_of, members_of, scalar, uri, xml, xml_body,
};
use crate::protocol::Protocol;
use crate::service::Service;
use crate::shape::{Kind, Location, Member, Structure, TimestampFormat};

/// The request with that input.
pub(crate) fn request(call: &Call<'_>, input: &Value) -> Wired<Request> {
    let (path, fixed_query) = uri::halves(call.operation.uri);
    let mut request = Request { method: call.operation.method.to_owned(), ..Request::default() };
    let mut query = Query::default();
    let mut labels = Map::new();
    if let Some((root, structure)) = root_of(call.service, call.operation.input.as_ref()) {
        for (name, value) in members_of(input)?.iter().filter(|(_, value)| !value.is_null()) {
            let member = structure
                .member(name)
                .ok_or_else(|| WireError::new("there is no such member").below(name))?;
            let placed = match member.traits.location {
                Some(Location::Uri) => {
                    scalar::encode(call.service, member, value, TimestampFormat::Iso8601).map(
                        |label| {
                            drop(labels.insert(member.wire_name().to_owned(), Value::String(label)))
                        },
                    )
                }
                Some(Location::QueryString) => query.add(call.service, member, value),
                Some(Location::Header | Location::Headers) => {
                    set_header(call.service, member, value, &mut request.headers)
                }
                Some(Location::StatusCode) | None => Ok(()),
            };
            placed.map_err(|error| error.below(name))?;
        }
        let body = Body::write(call, root, structure, members_of(input)?, true)?;
        if let Some(content_type) =
            body.content_type.filter(|_| !request.headers.contains("Content-Type"))
        {
            request.headers.set("Content-Type", content_type);
        }
        request.body = body.bytes;
    }
    request.path = fill(path, &labels)?;
    let query = query.text();
    request.query = match (fixed_query.is_empty(), query.is_empty()) {
        (_, true) => fixed_query.to_owned(),
        (true, false) => query,
        (false, false) => format!("{fixed_query}&{query}"),
    };
    Ok(request)
}

/// The structure that an input or output is.
pub(crate) fn root_of<'a>(
    service: &'a Service,
    root: Option<&'a Member>,
) -> Option<(&'a Member, &'a Structure)> {
    let root = root?;
    service.structure_of(root).map(|structure| (root, structure))
}

fn fill(template: &str, labels: &Map<String, Value>) -> Wired<String> {
    let label = |name: &str| {
        let label = labels.get(name).and_then(Value::as_str).filter(|label| !label.is_empty());
        label.ok_or_else(|| {
            WireError::new("it is part of the path, so it must be given and not be empty")
                .below(name)
        })
    };
    let pieces = uri::pieces(template).into_iter().map(|piece| match piece {
        uri::Piece::Fixed(fixed) => Ok(fixed.to_owned()),
        uri::Piece::Label(name) => label(name).map(uri::encode),
        uri::Piece::Greedy(name) => label(name).map(uri::encode_path),
    });
    pieces.collect()
}

/// A query as it is put together: what a member names goes before what a map says.
#[derive(Default)]
struct Query(Vec<(String, Vec<String>, bool)>);

impl Query {
    fn add(&mut self, service: &Service, member: &Member, value: &Value) -> Wired<()> {
        match &service.shape_of(member).kind {
            Kind::Map(parts) => {
                for (name, value) in members_of(value)? {
                    let values =
                        texts(service, &parts.1, value).map_err(|error| error.below(name))?;
                    if !self.0.iter().any(|(own, ..)| own == name) {
                        self.0.push((name.clone(), values, false));
                    }
                }
            }
            _ => {
                let values = texts(service, member, value)?;
                let name = member.wire_name();
                match self.0.iter_mut().find(|(own, ..)| own == name) {
                    Some(entry) => *entry = (name.to_owned(), values, true),
                    None => self.0.push((name.to_owned(), values, true)),
                }
            }
        }
        Ok(())
    }

    fn text(&self) -> String {
        let pairs = self.0.iter().flat_map(|(name, values, _)| {
            values.iter().map(move |value| format!("{}={}", uri::encode(name), uri::encode(value)))
        });
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// The texts of one name of a query.
fn texts(service: &Service, member: &Member, value: &Value) -> Wired<Vec<String>> {
    match &service.shape_of(member).kind {
        Kind::List(of) => {
            let Value::Array(list) = value else {
                return Err(WireError::new(format!("expected a list, not {}", kind_of(value))));
            };
            let given = list.iter().enumerate().filter(|(_, item)| !item.is_null());
            given
                .map(|(place, item)| {
                    scalar::encode(service, of, item, TimestampFormat::Iso8601)
                        .map_err(|error| error.at_index(place))
                })
                .collect()
        }
        _ => {
            scalar::encode(service, member, value, TimestampFormat::Iso8601).map(|text| vec![text])
        }
    }
}

/// Sets the header, or the headers, that a member is.
pub(crate) fn set_header(
    service: &Service,
    member: &Member,
    value: &Value,
    headers: &mut Headers,
) -> Wired<()> {
    if let (Some(Location::Headers), Kind::Map(parts)) =
        (member.traits.location, &service.shape_of(member).kind)
    {
        for (name, value) in members_of(value)? {
            let text = header_text(service, &parts.1, value).map_err(|error| error.below(name))?;
            headers.set(format!("{}{name}", member.traits.location_name.unwrap_or_default()), text);
        }
        return Ok(());
    }
    if value.as_array().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    let text = header_text(service, member, value)?;
    if text.contains(['\r', '\n', '\0']) {
        return Err(WireError::new("it is sent as a header, so it cannot have line breaks"));
    }
    headers.set(member.wire_name(), text);
    Ok(())
}

fn header_text(service: &Service, member: &Member, value: &Value) -> Wired<String> {
    if member.traits.json_value {
        return Ok(to_base64(&json::header_text(value)));
    }
    let Kind::List(of) = &service.shape_of(member).kind else {
        return scalar::encode(service, member, value, TimestampFormat::Rfc822);
    };
    let Value::Array(list) = value else {
        return Err(WireError::new(format!("expected a list, not {}", kind_of(value))));
    };
    let quoted = matches!(service.shape_of(of).kind, Kind::String);
    let texts = list.iter().enumerate().filter(|(_, item)| !item.is_null()).map(|(place, item)| {
        let text = header_text(service, of, item).map_err(|error| error.at_index(place))?;
        let quote = quoted && text.contains(['"', ',']);
        Ok(if quote { format!("\"{}\"", text.replace('"', "\\\"")) } else { text })
    });
    Ok(texts.collect::<Wired<Vec<_>>>()?.join(","))
}

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

/// The value that a header is, or several headers are; nothing where there is none.
pub(crate) fn read_header(
    service: &Service,
    member: &Member,
    headers: &Headers,
) -> Wired<Option<Value>> {
    let name = member.wire_name();
    if let (Some(Location::Headers), Kind::Map(parts)) =
        (member.traits.location, &service.shape_of(member).kind)
    {
        let prefix = member.traits.location_name.unwrap_or_default();
        let mut map = Map::new();
        for (name, text) in headers.iter() {
            let Some((start, key)) = name.split_at_checked(prefix.len()) else { continue };
            if start.eq_ignore_ascii_case(prefix) {
                map.insert(
                    key.to_owned(),
                    scalar::decode(service, &parts.1, text).map_err(|error| error.below(key))?,
                );
            }
        }
        return Ok(Some(Value::Object(map)));
    }
    headers.get(name).map(|text| read_header_text(service, member, text)).transpose()
}

fn read_header_text(service: &Service, member: &Member, text: &str) -> Wired<Value> {
    if member.traits.json_value {
        let bytes = from_base64(text).ok_or_else(|| WireError::new("expected JSON as base64"))?;
        return serde_json::from_slice(&bytes)
            .map_err(|error| WireError::new(format!("expected JSON as base64: {error}")));
    }
    let Kind::List(of) = &service.shape_of(member).kind else {
        return scalar::decode(service, member, text);
    };
    let dates = matches!(service.shape_of(of).kind, Kind::Timestamp);
    let items = split(text, dates).into_iter().map(|item| read_header_text(service, of, &item));
    items.collect::<Wired<_>>().map(Value::Array)
}

/// The items of a list in a header: quoted where they have commas; a date has one of its own.
fn split(text: &str, dates: bool) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let item = items.last_mut().expect("there is always a last one");
        match letter {
            '"' if quoted || item.trim().is_empty() => {
                quoted = !quoted;
                item.truncate(item.trim_start().len());
            }
            '\\' if quoted => item.extend(letters.next()),
            ',' if dates && item.trim().len() == 3 => item.push(','),
            ',' if !quoted => items.push(String::new()),
            other => item.push(other),
        }
    }
    items.into_iter().map(|item| item.trim().to_owned()).collect()
}

/// The input that a request has.
pub(crate) fn read_request(call: &Call<'_>, request: &Request) -> Wired<Value> {
    let Some((_, structure)) = root_of(call.service, call.operation.input.as_ref()) else {
        return Ok(Value::Object(Map::new()));
    };
    let (template, fixed_query) = uri::halves(call.operation.uri);
    let labels = uri::matches(template, &request.path)
        .ok_or_else(|| WireError::new("the path is that of another operation"))?;
    let fixed = uri::pairs(fixed_query);
    let query: Vec<_> =
        uri::pairs(&request.query).into_iter().filter(|pair| !fixed.contains(pair)).collect();
    let mut input = Map::new();
    for member in &structure.members {
        let read = match member.traits.location {
            Some(Location::Uri) => labels
                .iter()
                .find(|(name, _)| *name == member.wire_name())
                .map(|(_, label)| scalar::decode(call.service, member, label))
                .transpose(),
            Some(Location::QueryString) => read_query(call.service, structure, member, &query),
            Some(Location::Header | Location::Headers) => {
                read_header(call.service, member, &request.headers)
            }
            Some(Location::StatusCode) | None => Ok(None),
        };
        if let Some(value) = read.map_err(|error| error.below(member.name))? {
            input.insert(member.name.to_owned(), value);
        }
    }
    read_body(call, structure, &request.body, true, &mut input)?;
    Ok(Value::Object(input))
}

fn read_query(
    service: &Service,
    structure: &Structure,
    member: &Member,
    query: &[(String, String)],
) -> Wired<Option<Value>> {
    let own = |name: &str| {
        query
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    let values = |member: &Member, values: &[&str]| match &service.shape_of(member).kind {
        Kind::List(of) => values
            .iter()
            .map(|text| scalar::decode(service, of, text))
            .collect::<Wired<_>>()
            .map(Value::Array),
        _ => scalar::decode(service, member, values.last().copied().unwrap_or_default()),
    };
    let Kind::Map(parts) = &service.shape_of(member).kind else {
        let given = own(member.wire_name());
        return if given.is_empty() { Ok(None) } else { values(member, &given).map(Some) };
    };
    let named = |name: &str| {
        let is = |other: &&Member| {
            other.name != member.name && other.traits.location == Some(Location::QueryString)
        };
        structure.members.iter().filter(is).any(|other| other.wire_name() == name)
    };
    let mut map = Map::new();
    for (name, _) in query.iter().filter(|(name, _)| !named(name)) {
        if !map.contains_key(name) {
            map.insert(
                name.clone(),
                values(&parts.1, &own(name)).map_err(|error| error.below(name))?,
            );
        }
    }
    Ok((!map.is_empty()).then_some(Value::Object(map)))
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
