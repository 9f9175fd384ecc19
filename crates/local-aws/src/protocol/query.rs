//! AWS's query protocol: form-encoded in, XML out.

use std::collections::BTreeMap;

use super::AwsError;
use super::xml::Element;
use crate::http::{Request, Response};

const CONTENT_TYPE: &str = "text/xml";

/// The parameters of a request, or of one structure in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a request: its query and its form-encoded body.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let body = form_urlencoded::parse(&request.body).into_owned();
        Self(request.query.iter().cloned().chain(body).collect())
    }

    /// The operation's name.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.get("Action")
    }

    /// A parameter's text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A list, in the order of its indices: `Name.member.1`, `Name.member.2`, …
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        self.structures(name).into_iter().filter_map(|mut item| item.0.remove("")).collect()
    }

    /// A list of structures: `Tags.member.1.Key`, `Tags.member.1.Value`, …
    #[must_use]
    pub fn structures(&self, name: &str) -> Vec<Params> {
        let prefix = format!("{name}.member.");
        let mut items: BTreeMap<u32, Params> = BTreeMap::new();
        for (key, value) in self.0.range(prefix.clone()..) {
            let Some(rest) = key.strip_prefix(&prefix) else {
                break;
            };
            let (index, member) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(index) = index.parse() {
                items.entry(index).or_default().0.insert(member.to_owned(), value.clone());
            }
        }
        items.into_values().collect()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// A successful response: `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata>…`; operations without
/// output have no result.
#[must_use]
pub fn reply(
    namespace: &'static str,
    action: &str,
    result: Option<Element>,
    request_id: &str,
) -> Response {
    let document = Element::new(format!("{action}Response"))
        .in_namespace(namespace)
        .children(result)
        .child(Element::new("ResponseMetadata").text("RequestId", request_id))
        .to_document();
    Response::new(200, CONTENT_TYPE, document)
}

/// An error: `<ErrorResponse><Error><Type>Sender</Type><Code>…`.
#[must_use]
pub fn error(namespace: &'static str, error: &AwsError, request_id: &str) -> Response {
    let blame = if error.is_sender_fault() { "Sender" } else { "Receiver" };
    let document = Element::new("ErrorResponse")
        .in_namespace(namespace)
        .child(
            Element::new("Error")
                .text("Type", blame)
                .text("Code", &error.code)
                .text("Message", &error.message),
        )
        .text("RequestId", request_id)
        .to_document();
    Response::new(error.status, CONTENT_TYPE, document)
}

/// The error for an operation that there is not, here or at all.
#[must_use]
pub fn unknown_action(action: Option<&str>, params: &Params, supported: &[&str]) -> AwsError {
    let Some(action) = action else {
        return AwsError::bad_request(
            "MissingAction",
            "The request must contain the parameter Action",
        );
    };
    let version = params.get("Version").unwrap_or_default();
    let message = format!(
        "Could not find operation {action} for version {version} in the local AWS of playbook. It has: {}.",
        supported.join(", ")
    );
    AwsError::bad_request("InvalidAction", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_the_order_of_their_indices() {
        let params: Params = [
            ("Keys.member.10", "j"),
            ("Keys.member.2", "b"),
            ("Keys.member.1", "a"),
            ("Keys.member.x", "not a number"),
            ("KeysOfOthers.member.1", "no"),
        ]
        .into_iter()
        .collect();
        assert_eq!(params.list("Keys"), ["a", "b", "j"]);
        assert_eq!(params.list("Missing"), [""; 0]);
    }

    #[test]
    fn structures_have_parameters_of_their_own() {
        let params: Params = [
            ("Tags.member.2.Key", "b"),
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", "1"),
            ("Tags.member.1.Nested.member.1", "deep"),
        ]
        .into_iter()
        .collect();
        let tags = params.structures("Tags");
        let keys: Vec<_> = tags.iter().map(|tag| (tag.get("Key"), tag.get("Value"))).collect();
        assert_eq!(keys, [(Some("a"), Some("1")), (Some("b"), None)]);
        assert_eq!(tags.first().map(|tag| tag.list("Nested")), Some(vec!["deep".to_owned()]));
    }

    #[test]
    fn an_error_says_whose_fault_it_is() {
        let body = |status| {
            let response = error("https://ns/", &AwsError::new(status, "Code", "a < b"), "id-1");
            String::from_utf8_lossy(&response.body).into_owned()
        };
        assert_eq!(
            body(404),
            "<ErrorResponse xmlns=\"https://ns/\"><Error><Type>Sender</Type><Code>Code</Code>\
             <Message>a &lt; b</Message></Error><RequestId>id-1</RequestId></ErrorResponse>\n"
        );
        assert!(body(500).contains("<Type>Receiver</Type>"));
    }
}
