//! Which service a request is for, and whether it may be answered at all.

use crate::SERVICES;
use crate::http::{Credential, Request};
use crate::protocol::{AwsError, Protocol};
use crate::server::Service;

/// Reads who signed a request: from `Authorization`, or from the query of a presigned one.
pub fn credential(request: &Request) -> Result<Credential, AwsError> {
    let scope = match request.header("authorization") {
        Some(header) => scope_of_header(header).ok_or_else(|| incomplete(header))?,
        None => request.query_value("X-Amz-Credential").ok_or_else(missing)?,
    };
    scope_parts(scope).ok_or_else(|| incomplete(scope))
}

/// What people call without credentials of AWS is signed by nobody, for the region of requests that name none.
pub fn anonymous(request: &Request, region: &str) -> Option<Credential> {
    if request.header("authorization").is_some() {
        return None;
    }
    let (prefix, operation) = request.header("x-amz-target")?.split_once('.')?;
    let service = of_target(prefix)?;
    service.is_public(operation).then(|| Credential {
        access_key: String::new(),
        region: region.to_owned(),
        service: service.name().to_owned(),
    })
}

/// Links as boto3 makes them for S3 unless told otherwise: of the second version of signatures, which name no region.
pub fn presigned_v2(request: &Request, region: &str) -> Option<Credential> {
    let access_key = request.query_value("AWSAccessKeyId")?;
    request.query_value("Signature")?;
    Some(Credential {
        access_key: access_key.to_owned(),
        region: region.to_owned(),
        service: "s3".to_owned(),
    })
}

/// Whether an unsigned request can only be one for an object: a path that no other service has.
pub fn is_for_object(request: &Request) -> bool {
    request.header("x-amz-target").is_none()
        && !request.path.is_empty()
        && guess_service(request).is_none()
        && !request.header("content-type").unwrap_or_default().contains("json")
}

/// Whether AWS has a region of that name.
pub fn is_region(name: &str) -> bool {
    aws_model::regions::REGIONS.contains(&name)
}

/// The operation that a request asks for, such as `CreateRole`; the method and the path where it is none.
#[must_use]
pub fn operation(request: &Request) -> String {
    let signed_for = request.credential.as_ref().map(|credential| credential.service.as_str());
    let service = SERVICES.iter().copied().find(|service| Some(service.name()) == signed_for);
    match service.or_else(|| guess_service(request)) {
        Some(service) => service.operation(request),
        None => format!("{} /{}", request.method, request.path.join("/")),
    }
}

fn of_target(prefix: &str) -> Option<&'static dyn Service> {
    let mut services = SERVICES.iter().copied();
    services.find(|service| !prefix.is_empty() && service.interface().target == prefix)
}

fn scope_of_header(header: &str) -> Option<&str> {
    let parameters = header.strip_prefix("AWS4-HMAC-SHA256")?;
    parameters.split(',').find_map(|parameter| parameter.trim().strip_prefix("Credential="))
}

/// `AKIA…/20261123/us-east-1/lambda/aws4_request`
fn scope_parts(scope: &str) -> Option<Credential> {
    let mut parts = scope.rsplit('/');
    let (end, service, region, _date) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let access_key = parts.next().filter(|key| !key.is_empty())?;
    (end == "aws4_request" && !service.is_empty() && !region.is_empty()).then(|| Credential {
        access_key: access_key.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    })
}

fn missing() -> AwsError {
    AwsError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
}

fn incomplete(given: &str) -> AwsError {
    let message = format!(
        "Authorization header requires 'Credential' parameter of the form \
         ACCESS_KEY/DATE/REGION/SERVICE/aws4_request. Authorization={given}"
    );
    AwsError::new(400, "IncompleteSignature", message)
}

/// The service that an unsigned request seems to be for.
pub fn guess_service(request: &Request) -> Option<&'static dyn Service> {
    if let Some(target) = request.header("x-amz-target") {
        let prefix = target.split_once('.').map_or(target, |(prefix, _)| prefix);
        return of_target(prefix);
    }
    let Some(first) = request.path.first() else { return guess_query_service(request) };
    SERVICES.iter().copied().find(|service| service.interface().paths.contains(&first.as_str()))
}

fn guess_query_service(request: &Request) -> Option<&'static dyn Service> {
    let version = form_urlencoded::parse(&request.body)
        .find(|(key, _)| key == "Version")
        .map(|(_, version)| version.into_owned())
        .or_else(|| request.query_value("Version").map(str::to_owned))?;
    let mut services = SERVICES.iter().copied();
    services.find(|service| !version.is_empty() && service.interface().version == version)
}

/// The protocol in which a client of an unknown service will most likely understand an error.
pub fn guess_protocol(request: &Request) -> Protocol {
    let content_type = request.header("content-type").unwrap_or_default();
    if request.header("x-amz-target").is_some() {
        if content_type.ends_with("1.0") { Protocol::Json10 } else { Protocol::Json11 }
    } else if content_type.contains("json") {
        Protocol::RestJson
    } else {
        Protocol::Query { namespace: "http://webservices.amazon.com/AWSFault/2005-15-09" }
    }
}

/// The JSON protocols' names for the errors of the front door end in `Exception`, and their status is 400 with a
/// target header.
pub fn in_dialect(error: AwsError, protocol: Protocol) -> AwsError {
    let code = match protocol {
        Protocol::Query { .. } | Protocol::RestXml => return error,
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            format!("{}Exception", error.code)
        }
    };
    let status = if protocol == Protocol::RestJson { error.status } else { 400 };
    AwsError { status, code, ..error }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const SCOPE: &str = "AKIA/20261123/eu-west-1/lambda/aws4_request";

    fn request(headers: &[(&'static str, &str)], query: &[(&str, &str)], path: &[&str]) -> Request {
        let value =
            |text: &str| hyper::header::HeaderValue::from_str(text).expect("a valid header");
        Request {
            method: hyper::Method::POST,
            target: String::new(),
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            trailing_slash: false,
            query: query
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            headers: headers
                .iter()
                .map(|(name, text)| (hyper::header::HeaderName::from_static(name), value(text)))
                .collect(),
            body: Bytes::new(),
            request_id: "id".to_owned(),
            credential: None,
            on_behalf_of: None,
        }
    }

    #[test]
    fn the_scope_stands_in_the_header_or_in_the_query() {
        let expected = Credential {
            access_key: "AKIA".to_owned(),
            region: "eu-west-1".to_owned(),
            service: "lambda".to_owned(),
        };
        let header =
            format!("AWS4-HMAC-SHA256 SignedHeaders=host, Credential={SCOPE}, Signature=0");
        let signed = request(&[("authorization", &header)], &[], &[]);
        assert_eq!(credential(&signed), Ok(expected.clone()));
        let presigned = request(&[], &[("X-Amz-Credential", SCOPE)], &[]);
        assert_eq!(credential(&presigned), Ok(expected));
    }

    #[test]
    fn a_scope_that_is_not_whole_is_refused() {
        for scope in
            ["", "AKIA", "/d/r/s/aws4_request", "AKIA/d/r//aws4_request", "AKIA/d/r/s/aws5"]
        {
            let header = format!("AWS4-HMAC-SHA256 Credential={scope}, Signature=0");
            let error = credential(&request(&[("authorization", &header)], &[], &[]));
            assert_eq!(error.expect_err(scope).code, "IncompleteSignature");
        }
    }

    #[test]
    fn the_service_of_an_unsigned_request_is_guessed() {
        let guessed = |request: &Request| guess_service(request).map(Service::name);
        let target = |text| request(&[("x-amz-target", text)], &[], &[]);
        assert_eq!(guessed(&target("Logs_20140328.PutLogEvents")), Some("logs"));
        assert_eq!(guessed(&target("Nothing")), None);
        let path = request(&[], &[], &["2015-03-31", "functions"]);
        assert_eq!(guessed(&path), Some("lambda"));
        let version = request(&[], &[("Version", "2010-05-08")], &[]);
        assert_eq!(guessed(&version), Some("iam"));
    }
}
