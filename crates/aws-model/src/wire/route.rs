//! Which operation of a service a request is for.

use std::cmp::Reverse;

use super::{Call, Request, WireError, uri};
use crate::protocol::Protocol;
use crate::service::{Operation, Service};
use crate::shape::Location;

/// The call that a request to a service is, in the protocol that it is written in.
pub fn route<'a>(service: &'a Service, request: &Request) -> Result<Call<'a>, WireError> {
    let named = |name: &str, protocol: Protocol| {
        let unknown = || WireError::new(format!("{} has no operation {name}", service.name));
        service
            .operation(name)
            .map(|operation| Call { service, operation, protocol })
            .ok_or_else(unknown)
    };
    if request.headers.contains("smithy-protocol") {
        let name = request.path.rsplit_once("/operation/").map_or("", |(_, name)| name);
        return named(name, Protocol::RpcV2Cbor);
    }
    if let Some(target) = request.headers.get("x-amz-target") {
        let name = target.rsplit_once('.').map_or(target, |(_, name)| name);
        let content_type = request.headers.get("content-type").unwrap_or_default();
        return named(
            name,
            if content_type.contains("json-1.1") { Protocol::Json11 } else { Protocol::Json10 },
        );
    }
    let protocol = service.metadata.protocol;
    if protocol.is_rest() {
        let operation = rest(service, request)
            .ok_or_else(|| WireError::new(format!("{} has no such path", service.name)))?;
        return Ok(Call { service, operation, protocol });
    }
    let body = String::from_utf8_lossy(&request.body);
    let pairs = uri::pairs(&request.query).into_iter().chain(uri::pairs(&body));
    let action = pairs.into_iter().find(|(name, _)| name == "Action").map(|(_, action)| action);
    let action = action
        .ok_or_else(|| WireError::new("the request does not say which operation it is for"))?;
    named(&action, if protocol == Protocol::Ec2 { Protocol::Ec2 } else { Protocol::Query })
}

/// Among the operations whose path it is, the one that says most of it: fixed parts, the query's names, headers that it needs.
fn rest<'a>(service: &'a Service, request: &Request) -> Option<&'a Operation> {
    let query = uri::pairs(&request.query);
    let fits = |operation: &&Operation| {
        let (path, fixed) = uri::halves(operation.uri);
        operation.method.eq_ignore_ascii_case(&request.method)
            && uri::matches(path, &request.path).is_some()
            && uri::pairs(fixed).iter().all(|pair| query.contains(pair))
    };
    let weight = |operation: &&Operation| {
        let (path, fixed) = uri::halves(operation.uri);
        let pieces = uri::pieces(path);
        let letters: usize = pieces
            .iter()
            .map(|piece| if let uri::Piece::Fixed(text) = piece { text.len() } else { 0 })
            .sum();
        let greedy = pieces.iter().filter(|piece| matches!(piece, uri::Piece::Greedy(_))).count();
        let (given, missing) = needs(service, operation, request, &query);
        let fixed = uri::pairs(fixed).len();
        (
            letters,
            Reverse(greedy),
            fixed,
            Reverse(missing),
            given,
            Reverse(operation.deprecated),
            Reverse(operation.name),
        )
    };
    service.operations.iter().filter(fits).max_by_key(weight)
}

/// How many members that must be given in query or headers are, and how many are not.
fn needs(
    service: &Service,
    operation: &Operation,
    request: &Request,
    query: &[(String, String)],
) -> (usize, usize) {
    let (mut given, mut missing) = (0, 0);
    for member in service.input_of(operation).iter().filter(|member| member.required) {
        let there = match member.traits.location {
            Some(Location::QueryString) => query.iter().any(|(name, _)| name == member.wire_name()),
            Some(Location::Header) => request.headers.contains(member.wire_name()),
            _ => continue,
        };
        *if there { &mut given } else { &mut missing } += 1;
    }
    (given, missing)
}
