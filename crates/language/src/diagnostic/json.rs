//! Diagnostics as data, for programs.

use serde_json::{Value, json};

use super::{Diagnostic, Severity, Sources, Span, sorted};

/// All diagnostics as one document. Lines and columns count from 1, columns in characters; an end is behind the last one.
#[must_use]
pub fn document(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let all = sorted(diagnostics);
    let count = |severity| all.iter().filter(|it| it.code.severity() == severity).count();
    json!({
        "version": 1,
        "diagnostics": all.iter().map(|diagnostic| one(diagnostic, sources)).collect::<Vec<_>>(),
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
    })
}

fn one(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let related: Vec<Value> = diagnostic
        .also
        .iter()
        .map(|(span, label)| json!({"message": label, "place": place(*span, sources)}))
        .collect();
    json!({
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.code.severity().as_str(),
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        "place": diagnostic.span.map(|span| place(span, sources)),
        "related": related,
    })
}

fn place(span: Span, sources: &Sources) -> Value {
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.end_line_column(span);
    json!({
        "file": sources.name(span.source),
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    })
}
