//! What the REST protocols put beside the body: labels of the path, queries, headers, the status.

mod body;

use serde_json::{Map, Value};

use super::header::Headers;
use super::scalar::{from_base64, to_base64};
use super::{Call, Request, WireError, Wired, json, kind_of, members_of, scalar, uri};
use crate::service::Service;
use crate::shape::{Kind, Location, Member, Structure, TimestampFormat};

pub(crate) use body::{Body, read_body};

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
                            drop(
                                labels.insert(member.wire_name().to_owned(), Value::String(label)),
                            );
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
