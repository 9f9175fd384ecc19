//! Diagnostics as SARIF 2.1.0, which code reviews show beside the line.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{Code, Diagnostic, Severity, Sources, Span, sorted};

/// What a path may not hold as a URI.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// All diagnostics as one SARIF log with one run.
#[must_use]
pub fn log(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let all = sorted(diagnostics);
    let mut codes: Vec<Code> = all.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results: Vec<Value> =
        all.iter().map(|diagnostic| result(diagnostic, &codes, sources)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "playbook",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn rule(code: Code) -> Value {
    let page = code.page();
    let details = if page.details.is_empty() { page.summary } else { &page.details };
    json!({
        "id": code.as_str(),
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": details},
        "help": {"text": format!("`playbook explain {code}` shows an example.")},
        "defaultConfiguration": {"level": level(code)},
    })
}

fn result(diagnostic: &Diagnostic, codes: &[Code], sources: &Sources) -> Value {
    let mut text = diagnostic.message.clone();
    for more in diagnostic.label.iter().chain(&diagnostic.help) {
        text.push('\n');
        text.push_str(more);
    }
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), diagnostic.code.as_str().into());
    if let Ok(index) = codes.binary_search(&diagnostic.code) {
        result.insert("ruleIndex".to_owned(), index.into());
    }
    result.insert("level".to_owned(), level(diagnostic.code).into());
    result.insert("message".to_owned(), json!({"text": text}));
    if let Some(span) = diagnostic.span {
        result.insert("locations".to_owned(), json!([location(span, None, sources)]));
    }
    if !diagnostic.also.is_empty() {
        let related: Vec<Value> = diagnostic
            .also
            .iter()
            .map(|(span, label)| location(*span, Some(label), sources))
            .collect();
        result.insert("relatedLocations".to_owned(), related.into());
    }
    result.into()
}

fn location(span: Span, label: Option<&str>, sources: &Sources) -> Value {
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.end_line_column(span);
    let mut location = json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(sources.name(span.source))},
        "region": {
            "startLine": line,
            "startColumn": column,
            "endLine": end_line,
            "endColumn": end_column,
        },
    }});
    if let (Some(label), Some(map)) = (label, location.as_object_mut()) {
        map.insert("message".to_owned(), json!({"text": label}));
    }
    location
}

/// A path as a URI: relative to where the program was started, or absolute.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let encoded = utf8_percent_encode(path, NOT_IN_A_PATH).to_string();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}
