//! A request of an `http` step as a command of curl.

use serde_json::{Map, Value};

use super::Planned;
use super::command::{Command, text};
use super::words::word;

/// The command that sends a request. curl fails as the step does: where the status is 400 or more, unless that is wanted.
pub(super) fn command(
    planned: &Planned,
    parameters: &Map<String, Value>,
    mut variable: impl FnMut(&str) -> String,
) -> Command {
    let call = &planned.call;
    let mut words = vec!["curl".to_owned(), "-sS".to_owned()];
    if !parameters.contains_key("expect_status") {
        words.push("--fail-with-body".to_owned());
    }
    match call.method.as_str() {
        "GET" if !parameters.contains_key("body") => {}
        "POST" if parameters.contains_key("body") => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.push(format!("-X {}", word(method, &mut variable))),
    }
    if let Some(Value::Object(headers)) = parameters.get("headers") {
        for (name, value) in headers {
            let header = match text(value) {
                // curl takes a header without a value for one to be left out.
                value if value.is_empty() => format!("{name};"),
                value => format!("{name}: {value}"),
            };
            words.push(format!("-H {}", word(&header, &mut variable)));
        }
    }
    if let Some(body) = parameters.get("body") {
        words.push(format!("--data-raw {}", word(&text(body), &mut variable)));
    }
    if let Some(redirects) = parameters.get("redirects") {
        words.push(format!("--location --max-redirs {redirects}"));
    }
    if let Some(Value::String(ca)) = parameters.get("ca") {
        words.push(format!("--cacert {}", word(ca, &mut variable)));
    }
    if parameters.contains_key("insecure") {
        words.push("--insecure".to_owned());
    }
    words.push(format!("--globoff {}", word(&call.path, &mut variable)));
    Command { words, after: vec!["echo".to_owned()], ..Command::default() }
}
