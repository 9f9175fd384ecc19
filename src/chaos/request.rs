//! Requests as chaos sees them: what they ask for, and what somebody else would have asked for.

use bytes::Bytes;

use engine::step::RunFacts;
use local_aws::http::Request;
use local_aws::server::operation;

/// Operations that make something or add to it. A foreign run does the same, to something of its own.
const MAKING: [&str; 6] = ["Create", "Put", "Attach", "Add", "AdminCreate", "Tag"];

/// Behind a run's id, it makes the id of a foreign run: no run's id has this letter.
const FOREIGN: &str = "0";

/// Whether what a request makes will carry the run's tag.
pub(super) fn is_tagged(request: &Request) -> bool {
    let body = String::from_utf8_lossy(&request.body);
    let is_making = operation(request).starts_with("Create");
    is_making && (body.contains(RunFacts::TAG_KEY) || body.contains(&encoded(RunFacts::TAG_KEY)))
}

/// What a foreign run would ask for: the same, under names that begin as the run's own. Nothing where the
/// request makes nothing, or nothing that is named after the run.
pub(super) fn of_foreign_run(request: &Request, run: &str) -> Option<Request> {
    let operation = operation(request);
    if !MAKING.iter().any(|making| operation.starts_with(making)) {
        return None;
    }
    let foreign_run = foreign_run(run);
    let rename = |text: &str| text.replace(run, &foreign_run);
    let body = std::str::from_utf8(&request.body).ok()?;
    let path: Vec<String> = request.path.iter().map(|segment| rename(segment)).collect();
    let renamed = rename(body);
    if path == request.path && renamed == body {
        return None;
    }
    Some(Request { path, body: Bytes::from(renamed), ..request.clone() })
}

/// The member by which a service knows a request that is repeated.
const TOKEN: &str = "ClientRequestToken=";

/// The same request by somebody whose tag is not the run's, and who does not repeat what the run has asked for.
pub(super) fn of_somebody(request: &Request) -> Option<Request> {
    let body = std::str::from_utf8(&request.body).ok()?;
    let tag = RunFacts::TAG_KEY;
    let other = tag.replacen("playbook", "somebody", 1);
    let body = body
        .replace(tag, &other)
        .replace(&encoded(tag), &encoded(&other))
        .replace(TOKEN, &format!("{TOKEN}somebody-"));
    Some(Request { body: Bytes::from(body), ..request.clone() })
}

/// What the names of a foreign run hold instead of the run's id.
pub(super) fn foreign_run(run: &str) -> String {
    format!("{run}{FOREIGN}")
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderMap, HeaderValue};

    fn request(method: hyper::Method, path: &[&str], target: Option<&str>, body: &str) -> Request {
        let mut headers = HeaderMap::new();
        if let Some(target) = target {
            headers.insert("x-amz-target", HeaderValue::from_str(target).expect("a header"));
        }
        Request {
            method,
            target: String::new(),
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            trailing_slash: false,
            query: Vec::new(),
            headers,
            body: Bytes::from(body.to_owned()),
            request_id: "id".to_owned(),
            credential: None,
            on_behalf_of: None,
        }
    }

    fn create_role() -> Request {
        let body = "Action=CreateRole&Version=2010-05-08&RoleName=demo-k3f9\
                    &Tags.member.1.Key=playbook%3Arun&Tags.member.1.Value=k3f9";
        request(hyper::Method::POST, &[], None, body)
    }

    #[test]
    fn somebody_asks_for_the_same_without_repeating_it() {
        let body = "Action=CreateStack&StackName=demo&ClientRequestToken=playbook-k3f9-stack-0";
        let asked = request(hyper::Method::POST, &[], None, body);
        let theirs = of_somebody(&asked).expect("a request");
        assert_eq!(
            theirs.body,
            "Action=CreateStack&StackName=demo&ClientRequestToken=somebody-playbook-k3f9-stack-0"
        );
    }

    fn create_group() -> Request {
        let body = r#"{"logGroupName":"/aws/lambda/k3f9","tags":{"playbook:run":"k3f9"}}"#;
        let target = Some("Logs_20140328.CreateLogGroup");
        request(hyper::Method::POST, &[], target, body)
    }

    fn invoke() -> Request {
        let path = ["2015-03-31", "functions", "demo-k3f9", "invocations"];
        request(hyper::Method::POST, &path, None, "{}")
    }

    #[test]
    fn operations_are_named_in_every_protocol() {
        assert_eq!(operation(&create_role()), "CreateRole");
        assert_eq!(operation(&create_group()), "CreateLogGroup");
        assert_eq!(operation(&invoke()), "Invoke");
        let unknown = request(hyper::Method::PUT, &["2020-01-01", "x"], None, "");
        assert_eq!(operation(&unknown), "PUT /2020-01-01/x");
    }

    #[test]
    fn a_foreign_run_has_names_that_begin_like_the_runs_own() {
        let role = of_foreign_run(&create_role(), "k3f9").expect("a role");
        let body = String::from_utf8_lossy(&role.body).into_owned();
        assert!(body.contains("RoleName=demo-k3f90&") && body.ends_with("Value=k3f90"), "{body}");
        assert!(of_foreign_run(&create_role(), "other").is_none());
        assert!(of_foreign_run(&invoke(), "k3f9").is_none());
    }

    #[test]
    fn somebody_else_makes_the_same_without_the_runs_tag() {
        for made in [create_role(), create_group()] {
            assert!(is_tagged(&made));
            let other = of_somebody(&made).expect("text");
            assert!(!is_tagged(&other));
            assert_eq!(other.body.len(), made.body.len());
        }
        assert!(!is_tagged(&invoke()));
    }
}
