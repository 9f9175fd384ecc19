//! Which service a request is for, and whether it may be answered at all.

use crate::cognito;
use crate::http::{Credential, Request};
use crate::protocol::{AwsError, Protocol};

/// The services that have been recognised in a request that names none by its signature.
const TARGETS: [(&str, &str); 4] = [
    ("Logs_20140328", "logs"),
    ("DynamoDB_20120810", "dynamodb"),
    ("AWSCognitoIdentityProviderService", "cognito-idp"),
    ("AWSSecurityTokenServiceV20110615", "sts"),
];

/// Reads who signed a request: from `Authorization`, or from the query of a presigned one.
pub fn credential(request: &Request) -> Result<Credential, AwsError> {
    let scope = match request.header("authorization") {
        Some(header) => scope_of_header(header).ok_or_else(|| incomplete(header))?,
        None => request.query_value("X-Amz-Credential").ok_or_else(missing)?,
    };
    scope_parts(scope).ok_or_else(|| incomplete(scope))
}

/// What people call without credentials of AWS is signed by nobody, for the region that there is.
pub fn anonymous(request: &Request, region: &str) -> Option<Credential> {
    let target = request.header("x-amz-target")?;
    (request.header("authorization").is_none() && cognito::is_public(target)).then(|| Credential {
        access_key: String::new(),
        region: region.to_owned(),
        service: "cognito-idp".to_owned(),
    })
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
pub fn guess_service(request: &Request) -> Option<&'static str> {
    if let Some(target) = request.header("x-amz-target") {
        let prefix = target.split_once('.').map_or(target, |(prefix, _)| prefix);
        return TARGETS.iter().find(|(known, _)| *known == prefix).map(|(_, service)| *service);
    }
    match request.path.first().map(String::as_str) {
        Some(
            "2015-03-31" | "2017-03-31" | "2017-10-31" | "2018-10-31" | "2019-09-25" | "2019-09-30",
        ) => Some("lambda"),
        None => guess_query_service(request),
        Some(_) => None,
    }
}

fn guess_query_service(request: &Request) -> Option<&'static str> {
    let version = form_urlencoded::parse(&request.body)
        .find(|(key, _)| key == "Version")
        .map(|(_, version)| version.into_owned())
        .or_else(|| request.query_value("Version").map(str::to_owned))?;
    match version.as_str() {
        "2010-05-08" => Some("iam"),
        "2011-06-15" => Some("sts"),
        "2010-05-15" => Some("cloudformation"),
        _ => None,
    }
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
        let target = |text| request(&[("x-amz-target", text)], &[], &[]);
        assert_eq!(guess_service(&target("Logs_20140328.PutLogEvents")), Some("logs"));
        assert_eq!(guess_service(&target("Nothing")), None);
        let path = request(&[], &[], &["2015-03-31", "functions"]);
        assert_eq!(guess_service(&path), Some("lambda"));
        let version = request(&[], &[("Version", "2010-05-08")], &[]);
        assert_eq!(guess_service(&version), Some("iam"));
    }
}
