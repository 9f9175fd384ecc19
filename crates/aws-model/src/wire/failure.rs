//! Errors of AWS, on the wire.

use serde_json::{Map, Value};

use super::cbor::Item;
use super::header::Headers;
use super::xml::Element;
use super::{Call, Response, Wired, cbor, cbor_body, json, rest, xml, xml_body};
use crate::protocol::Protocol;
use crate::shape::{ErrorTraits, Kind, Location, Member, Shape, Structure};

/// An error that a service answers with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Failure {
    /// Its code, as people know it: `QueueDoesNotExist`, `ResourceNotFoundException`.
    pub code: String,
    /// What it says.
    pub message: String,
    /// The members that the model gives it, as far as they came.
    pub members: Map<String, Value>,
    /// The status of the response.
    pub status: u16,
    /// The id of the request, for AWS's support.
    pub request_id: Option<String>,
    /// The code of a service that spoke the query protocol once, where it is another one.
    pub modelled_code: Option<String>,
}

/// The members in which the message stands.
const MESSAGE: [&str; 3] = ["message", "Message", "errorMessage"];

/// What an error is called on the wire: `aws.service#Code:http://…` is `Code`.
fn plain_code(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default()
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn request_id(headers: &Headers) -> Option<String> {
    ["x-amzn-requestid", "x-amz-request-id"]
        .iter()
        .find_map(|name| headers.get(name))
        .map(str::to_owned)
}

/// What a status says where nothing else does.
fn reason(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        416 => "Requested Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// The error that a response is. A body that cannot be read is an error too: its status says as much as can be known.
pub(crate) fn read(call: &Call<'_>, response: &Response) -> Failure {
    let mut failure = match call.protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => read_json(call, response),
        Protocol::RpcV2Cbor => read_cbor(call, response),
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => read_xml(call, response),
    };
    failure.status = response.status;
    if failure.request_id.is_none() {
        failure.request_id = request_id(&response.headers);
    }
    if failure.code.is_empty() {
        failure.code = response.status.to_string();
        if failure.message.is_empty() {
            reason(response.status).clone_into(&mut failure.message);
        }
    }
    failure
}

/// The codes that an error goes by: its own, and the one of the query protocol.
fn set_codes(failure: &mut Failure, code: &str, headers: &Headers) {
    plain_code(code).clone_into(&mut failure.code);
    if let Some((query, _)) =
        headers.get("x-amzn-query-error").and_then(|text| text.split_once(';'))
        && !query.is_empty()
    {
        failure.modelled_code = Some(std::mem::replace(&mut failure.code, query.to_owned()));
    }
}

fn structure_of<'a>(call: &Call<'a>, failure: &Failure) -> Option<&'a Structure> {
    let codes = [failure.modelled_code.as_deref(), Some(failure.code.as_str())];
    let (_, shape) =
        codes.into_iter().flatten().find_map(|code| call.service.error(call.operation, code))?;
    match &shape.kind {
        Kind::Structure(structure) => Some(structure),
        _ => None,
    }
}

fn read_json(call: &Call<'_>, response: &Response) -> Failure {
    let body = json::parse(&response.body).ok().and_then(|body| match body {
        Value::Object(map) => Some(map),
        _ => None,
    });
    let unreadable = body.is_none();
    let body = body.unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let code = response
        .headers
        .get("x-amzn-errortype")
        .or_else(|| text("__type"))
        .or_else(|| text("code"))
        .or_else(|| text("Code"));
    let mut failure = Failure::default();
    set_codes(&mut failure, code.unwrap_or_default(), &response.headers);
    failure.message = owned(MESSAGE.iter().find_map(|name| text(name)));
    if unreadable && failure.message.is_empty() && response.status < 500 {
        failure.message = String::from_utf8_lossy(&response.body).into_owned();
    }
    if let Some(structure) = structure_of(call, &failure) {
        let belongs = |member: &Member| {
            call.protocol != Protocol::RestJson || member.traits.location.is_none()
        };
        if let Ok(members) = json::decode_members(call.service, structure, &body, belongs) {
            failure.members = members;
        }
        if call.protocol == Protocol::RestJson {
            read_headers(call, structure, response, &mut failure.members);
        }
    }
    failure
}

fn read_headers(
    call: &Call<'_>,
    structure: &Structure,
    response: &Response,
    into: &mut Map<String, Value>,
) {
    for member in structure.members.iter().filter(|member| member.traits.location.is_some()) {
        let read = match member.traits.location {
            Some(Location::StatusCode) => Some(Value::from(response.status)),
            _ => rest::read_header(call.service, member, &response.headers).ok().flatten(),
        };
        if let Some(value) = read {
            into.insert(member.name.to_owned(), value);
        }
    }
}

fn read_cbor(call: &Call<'_>, response: &Response) -> Failure {
    let body = cbor::parse(&response.body).unwrap_or(Item::Null);
    let text = |name: &str| body.get(name).and_then(Item::text);
    let mut failure = Failure::default();
    set_codes(&mut failure, text("__type").unwrap_or_default(), &response.headers);
    failure.message = owned(MESSAGE.iter().find_map(|name| text(name)));
    if let Some(structure) = structure_of(call, &failure) {
        failure.members =
            cbor_body::decode_members(call.service, structure, &body).unwrap_or_default();
    }
    failure
}

fn read_xml(call: &Call<'_>, response: &Response) -> Failure {
    let mut failure = Failure::default();
    let Ok(root) = xml::parse(&response.body) else { return failure };
    let error = match root.name.as_str() {
        "Error" => Some(&root),
        "ErrorResponse" => root.child("Error"),
        _ => root.child("Errors").and_then(|errors| errors.child("Error")),
    };
    let Some(error) = error else { return failure };
    failure.code = owned(error.child_text("Code"));
    failure.message = owned(error.child_text("Message").or_else(|| error.child_text("message")));
    failure.request_id = [&root, error]
        .iter()
        .find_map(|at| at.child_text("RequestId").or_else(|| at.child_text("RequestID")))
        .map(str::to_owned);
    if let Some(structure) = structure_of(call, &failure) {
        let belongs = |member: &Member| member.traits.location.is_none();
        // Members of an error stand in it, or behind it.
        let mut members =
            xml_body::decode_members(call.service, structure, &root, belongs).unwrap_or_default();
        members.extend(
            xml_body::decode_members(call.service, structure, error, belongs).unwrap_or_default(),
        );
        failure.members = members;
        read_headers(call, structure, response, &mut failure.members);
    }
    failure
}

/// The response that says an error.
pub(crate) fn write(call: &Call<'_>, failure: &Failure, request_id: &str) -> Response {
    let shape = call
        .service
        .error(call.operation, failure.modelled_code.as_deref().unwrap_or(&failure.code))
        .map(|(_, shape)| shape);
    let traits = shape.and_then(error_traits);
    let status = match (failure.status, traits.and_then(|traits| traits.status)) {
        (0, Some(status)) => status,
        (0, None) if traits.is_some_and(|traits| traits.fault) => 500,
        (0, None) => 400,
        (status, _) => status,
    };
    let mut response = Response { status, ..Response::default() };
    response.headers.set("x-amzn-RequestId", request_id);
    let sender = traits.map_or(status < 500, |traits| !traits.fault);
    let names = Names {
        shape: shape.map_or(failure.code.as_str(), |shape| shape.name),
        // Who knows an error by two names says which is which.
        code: traits
            .and_then(|traits| traits.code)
            .or(shape.map(|shape| shape.name).filter(|_| failure.modelled_code.is_none()))
            .unwrap_or(&failure.code),
        fault: if sender { "Sender" } else { "Receiver" },
    };
    // A member that the model does not have, or of another type, is the caller's mistake; the error itself still goes out.
    let _ = match call.protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            write_json(call, failure, shape, &names, &mut response)
        }
        Protocol::RpcV2Cbor => {
            write_cbor(call, failure, shape, &names, &mut response);
            Ok(())
        }
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => {
            write_xml(call, failure, shape, &names, request_id, &mut response)
        }
    };
    response
}

/// What an error is called.
struct Names<'a> {
    shape: &'a str,
    code: &'a str,
    fault: &'a str,
}

fn error_traits(shape: &Shape) -> Option<&ErrorTraits> {
    match &shape.kind {
        Kind::Structure(structure) => structure.error.as_ref(),
        _ => None,
    }
}

/// The members of an error, with its message under the model's name for it, and as `message` where it has none.
fn members(shape: Option<&Shape>, failure: &Failure) -> Map<String, Value> {
    let mut members = failure.members.clone();
    if let Some(Kind::Structure(structure)) = shape.map(|shape| &shape.kind)
        && let Some(name) = MESSAGE.iter().find(|name| structure.member(name).is_some())
    {
        members.entry(*name).or_insert_with(|| Value::String(failure.message.clone()));
    }
    members
}

fn query_error(call: &Call<'_>, names: &Names<'_>, response: &mut Response) {
    if call.service.metadata.query_compatible {
        response.headers.set("x-amzn-query-error", format!("{};{}", names.code, names.fault));
    }
}

fn write_json(
    call: &Call<'_>,
    failure: &Failure,
    shape: Option<&Shape>,
    names: &Names<'_>,
    response: &mut Response,
) -> Wired<()> {
    let rest = call.protocol == Protocol::RestJson;
    let mut body = Map::new();
    if rest {
        response.headers.set("x-amzn-ErrorType", names.shape);
        response.headers.set("Content-Type", "application/json");
    } else {
        body.insert("__type".to_owned(), Value::String(names.shape.to_owned()));
        let version = if call.protocol == Protocol::Json11 { "1.1" } else { "1.0" };
        response.headers.set("Content-Type", format!("application/x-amz-json-{version}"));
        query_error(call, names, response);
    }
    if let Some(Kind::Structure(structure)) = shape.map(|shape| &shape.kind) {
        let members = members(shape, failure);
        let belongs = |member: &Member| !rest || member.traits.location.is_none();
        let encoded = json::encode_members(call.service, structure, &members, belongs);
        body.extend(encoded.unwrap_or_default());
        if rest {
            write_headers(call, structure, &members, response)?;
        }
    }
    if !MESSAGE.iter().any(|name| body.contains_key(*name)) {
        body.insert("message".to_owned(), Value::String(failure.message.clone()));
    }
    response.body = json::response_text(&Value::Object(body));
    Ok(())
}

fn write_headers(
    call: &Call<'_>,
    structure: &Structure,
    members: &Map<String, Value>,
    response: &mut Response,
) -> Wired<()> {
    for member in structure.members.iter().filter(|member| {
        matches!(member.traits.location, Some(Location::Header | Location::Headers))
    }) {
        if let Some(value) = members.get(member.name) {
            rest::set_header(call.service, member, value, &mut response.headers)?;
        }
    }
    Ok(())
}

fn write_cbor(
    call: &Call<'_>,
    failure: &Failure,
    shape: Option<&Shape>,
    names: &Names<'_>,
    response: &mut Response,
) {
    response.headers.set("smithy-protocol", "rpc-v2-cbor");
    response.headers.set("Content-Type", "application/cbor");
    query_error(call, names, response);
    let mut entries = vec![("__type".to_owned(), Item::Text(names.shape.to_owned()))];
    if let Some(Kind::Structure(structure)) = shape.map(|shape| &shape.kind) {
        for (name, value) in members(shape, failure) {
            let Some(member) = structure.member(&name) else { continue };
            if let Ok(item) = cbor_body::encode(call.service, member, &value) {
                entries.push((member.wire_name().to_owned(), item));
            }
        }
    }
    if !entries.iter().any(|(name, _)| MESSAGE.contains(&name.as_str())) {
        entries.push(("message".to_owned(), Item::Text(failure.message.clone())));
    }
    Item::Map(entries).write(&mut response.body);
}

fn write_xml(
    call: &Call<'_>,
    failure: &Failure,
    shape: Option<&Shape>,
    names: &Names<'_>,
    request_id: &str,
    response: &mut Response,
) -> Wired<()> {
    response.headers.set(
        "Content-Type",
        if call.protocol == Protocol::RestXml { "application/xml" } else { "text/xml" },
    );
    let mut error = Element::new("Error");
    let s3 = call.service.name == "s3";
    if !s3 && call.protocol != Protocol::Ec2 {
        error.children.push(Element::with_text("Type", names.fault));
    }
    error.children.push(Element::with_text("Code", names.code));
    error.children.push(Element::with_text("Message", failure.message.clone()));
    if let Some(Kind::Structure(structure)) = shape.map(|shape| &shape.kind) {
        let own = |member: &Member| {
            member.traits.location.is_none()
                && !["message", "Message", "Code", "Type"].contains(&member.name)
        };
        let _ =
            xml_body::encode_members(call.service, structure, &failure.members, &mut error, own);
        write_headers(call, structure, &failure.members, response)?;
    }
    let root = if s3 {
        error.children.push(Element::with_text("RequestId", request_id));
        error
    } else if call.protocol == Protocol::Ec2 {
        let mut errors = Element::new("Errors");
        errors.children.push(error);
        let mut root = Element::new("Response");
        root.children = vec![errors, Element::with_text("RequestID", request_id)];
        root
    } else {
        let mut root = Element::new("ErrorResponse");
        if let Some(namespace) = call.service.metadata.xml_namespace {
            root.attributes.push(("xmlns".to_owned(), namespace.uri.to_owned()));
        }
        root.children = vec![error, Element::with_text("RequestId", request_id)];
        root
    };
    response.body = root.write().into_bytes();
    Ok(())
}
