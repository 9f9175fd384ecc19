//! What a reply says of how a call ended, and whether it can be AWS's at all.

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// Codes that the SDK tries again as if they said "too fast", though they are final.
const FINAL: [&str; 1] = ["LimitExceededException"];

/// Operations whose successful reply is whatever somebody has stored or a function has said, a page of HTML included.
const STORED: [&str; 4] = ["GetObject", "HeadObject", "Invoke", "InvokeWithResponseStream"];

/// Whether a reply says how the call ended. A server error may come after the effect; so may a success of which no more
/// than the head arrives, or whose body nobody understands. A refusal for going too fast comes from whatever stands in
/// front of the service, which does not know what happened behind it.
pub(super) fn is_answer(reply: &HttpResponse, is_whole: bool) -> bool {
    match reply.status().as_u16() {
        200..300 => is_whole,
        status if status >= 500 => false,
        _ => !code(reply).is_some_and(|code| is_throttling(&code)),
    }
}

/// Whether a reply is that of something in front of the service which has lost it out of sight, and which may have handed
/// the request on.
pub(super) fn is_a_gateways(reply: &HttpResponse) -> bool {
    matches!(reply.status().as_u16(), 502 | 504)
}

/// Whether the code says that AWS was asked too fast.
fn is_throttling(code: &str) -> bool {
    THROTTLING_ERRORS.contains(&code) && !FINAL.contains(&code)
}

/// What a reply is that AWS cannot have given to the operation, although its status says success: a page for people, as
/// proxies and sign-in portals answer, or anything else that is not in the service's protocol. The SDK reads no body where it
/// expects none. The type of the content tells nothing: servers that people test with call their answers pages, too.
pub(super) fn foreign(service: &str, operation: &str, reply: &HttpResponse) -> Option<String> {
    if !reply.status().is_success() || STORED.contains(&operation) {
        return None;
    }
    let status = reply.status().as_u16();
    let is_spoken = speaks(service, reply.body().bytes().unwrap_or_default());
    (!is_spoken).then(|| format!("{status} with what is not in the protocol of {service}"))
}

/// Whether a body is in one of a service's protocols, or there is none.
fn speaks(service: &str, body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let Some(entry) = aws_model::entry_of(service).filter(|_| !body.is_empty()) else {
        return true;
    };
    entry.protocols.iter().any(|protocol| match *protocol {
        "query" | "ec2" | "rest-xml" => {
            let start = body.get(..14).unwrap_or(body).to_ascii_lowercase();
            let is_page = start.starts_with(b"<html") || start.starts_with(b"<!doctype html");
            body.starts_with(b"<") && !is_page
        }
        "json" | "rest-json" => serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok(),
        // A map, as every answer is.
        "smithy-rpc-v2-cbor" => body.first().is_some_and(|first| (0xa0..=0xbf).contains(first)),
        _ => true,
    })
}

/// The error's code, as each protocol of AWS says it.
fn code(reply: &HttpResponse) -> Option<String> {
    let bare = |code: &str| {
        let code = code.split(':').next().unwrap_or(code);
        code.rsplit('#').next().unwrap_or(code).to_owned()
    };
    if let Some(code) = reply.headers().get("x-amzn-errortype") {
        return Some(bare(code));
    }
    let body = reply.body().bytes()?;
    if let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) {
        let code = ["__type", "code", "Code"].iter().find_map(|name| body.get(name)?.as_str());
        return code.map(bare);
    }
    let text = std::str::from_utf8(body).ok()?;
    let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
    Some(code.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> HttpResponse {
        let status = StatusCode::try_from(status).unwrap();
        let mut reply = HttpResponse::new(status, SdkBody::from(body));
        for (name, value) in headers {
            reply.headers_mut().insert(*name, *value);
        }
        reply
    }

    #[test]
    fn what_is_not_in_the_services_protocol_is_no_success() {
        let page = b"<!DOCTYPE html><title>Sign in to the network</title>";
        for service in ["logs", "dynamodb", "lambda", "iam", "s3", "cloudformation"] {
            assert!(!speaks(service, page), "{service}");
            assert!(!speaks(service, b"\x00\xff garbage"), "{service}");
            assert!(speaks(service, b""), "{service}");
        }
        assert!(speaks("dynamodb", b" {} "));
        assert!(speaks(
            "iam",
            b"<AttachRolePolicyResponse><ResponseMetadata/></AttachRolePolicyResponse>"
        ));
        assert!(speaks("s3", b"<?xml version='1.0'?><Nothing/>"));
    }

    #[test]
    fn a_success_is_an_answer_only_when_all_of_it_arrived() {
        for (status, is_whole, expected) in [
            (200, true, true),
            (204, true, true),
            (200, false, false),
            (400, false, true),
            (301, false, true),
            (500, false, false),
            (503, true, false),
        ] {
            assert_eq!(
                is_answer(&reply(status, &[], ""), is_whole),
                expected,
                "{status} {is_whole}"
            );
        }
    }

    #[test]
    fn a_refusal_for_going_too_fast_says_nothing_of_what_happened() {
        let json = r#"{"__type": "com.amazonaws.dynamodb#ThrottlingException", "message": "x"}"#;
        let xml = "<ErrorResponse><Error><Code> Throttling </Code></Error></ErrorResponse>";
        let header = [("x-amzn-errortype", "TooManyRequestsException:http://internal")];
        for reply in [reply(400, &[], json), reply(400, &[], xml), reply(429, &header, "")] {
            assert!(!is_answer(&reply, false), "{reply:?}");
        }
        let final_ones = [
            r#"{"__type": "LimitExceededException"}"#,
            r#"{"__type": "ConditionalCheckFailedException"}"#,
            "<Error><Code>EntityAlreadyExists</Code></Error>",
        ];
        for body in final_ones {
            assert!(is_answer(&reply(400, &[], body), false), "{body}");
        }
    }

    #[test]
    fn a_page_is_no_success_unless_somebody_has_stored_it() {
        let told = |status, operation, body| {
            foreign("logs", operation, &reply(status, &[("content-type", "text/html")], body))
        };
        let page = "<html>Sign in</html>";
        let expected = Some("200 with what is not in the protocol of logs".to_owned());
        assert_eq!(told(200, "DeleteLogGroup", page), expected);
        assert_eq!(told(200, "GetObject", page), None);
        assert_eq!(told(403, "DeleteLogGroup", page), None);
        assert_eq!(told(200, "DeleteLogGroup", ""), None);
        assert_eq!(told(200, "DescribeLogGroups", "{}"), None);
    }
}
