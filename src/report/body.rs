//! Data as indented lines, close to YAML.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Paint, safe};

/// Text without spaces beyond this length is data, such as a deployment package, and only hinted at.
const LONGEST_WORD: usize = 240;

/// A value as lines, keys first. Nothing for null, which stands for "no body".
pub(super) fn lines(value: &Value, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    match value {
        Value::Null => {}
        Value::Object(fields) if !fields.is_empty() => {
            for (key, field) in fields {
                member(&mut lines, &format!("{}:", plain(key)), field, paint);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                element(&mut lines, item, paint);
            }
        }
        other => lines.push(scalar(other, paint)),
    }
    lines
}

fn member(lines: &mut Vec<String>, head: &str, value: &Value, paint: Paint) {
    if is_nested(value) {
        lines.push(head.to_owned());
        indent(lines, self::lines(value, paint));
    } else if let Some(text) = block_text(value) {
        lines.push(format!("{head} |"));
        indent(lines, safe::lines(text).map(|line| paint.markers(&line)).collect());
    } else {
        lines.push(format!("{head} {}", scalar(value, paint)));
    }
}

fn element(lines: &mut Vec<String>, value: &Value, paint: Paint) {
    if !is_nested(value) {
        return member(lines, "-", value, paint);
    }
    for (index, line) in self::lines(value, paint).into_iter().enumerate() {
        lines.push(format!("{} {line}", if index == 0 { '-' } else { ' ' }));
    }
}

fn indent(lines: &mut Vec<String>, nested: Vec<String>) {
    lines.extend(nested.into_iter().map(|line| format!("  {line}")));
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn block_text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| text.trim_end_matches('\n').contains('\n'))
}

fn scalar(value: &Value, paint: Paint) -> String {
    match value.as_str() {
        Some(text) if is_data(text) => {
            let start: String = text.chars().take(40).collect();
            let length = text.chars().count();
            paint.dim(&format!("{}… ({length} characters)", safe::line(&start)))
        }
        Some(text) => paint.markers(&plain(text)),
        None => value.to_string(),
    }
}

fn is_data(text: &str) -> bool {
    text.len() > LONGEST_WORD && !text.contains([' ', '\n', '⟨'])
}

/// Text as it is where YAML would read it as text, quoted otherwise.
fn plain(text: &str) -> String {
    if reads_as_text(text) {
        return safe::line(text).into_owned();
    }
    if text.contains(['"', '\\']) && safe::line(text) == text {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c => {
                let _ = write!(quoted, "{}", safe::line(c.encode_utf8(&mut [0; 4])));
            }
        }
    }
    quoted.push('"');
    quoted
}

fn reads_as_text(text: &str) -> bool {
    let special = |c: char| "-?:,[]{}#&*!|>'\"%@`~".contains(c);
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    !(text.is_empty()
        || text.trim() != text
        || text.starts_with(special)
        || text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.contains(char::is_control)
        || text.parse::<f64>().is_ok()
        || word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(value: &Value) -> String {
        lines(value, Paint::default()).join("\n")
    }

    #[test]
    fn nested_data_is_indented() {
        let value = json!({
            "FunctionName": "playbook-k3x9",
            "Role": "⟨steps.role.arn⟩",
            "Environment": {"Variables": {"LOG_LEVEL": "DEBUG"}},
            "Layers": [],
            "Tags": [{"Key": "playbook:run", "Value": "k3x9"}, "x", ["a", 1]],
            "Timeout": 3,
            "Publish": false,
        });
        assert_eq!(
            shown(&value),
            "\
FunctionName: playbook-k3x9
Role: ⟨steps.role.arn⟩
Environment:
  Variables:
    LOG_LEVEL: DEBUG
Layers: []
Tags:
  - Key: playbook:run
    Value: k3x9
  - x
  - - a
    - 1
Timeout: 3
Publish: false"
        );
    }

    #[test]
    fn text_that_looks_like_something_else_is_quoted() {
        let value =
            json!(["41", "true", "", " a", "a: b", "- a", "say \"hi\"", "# no", "1e3", "a:b"]);
        assert_eq!(
            shown(&value),
            "- \"41\"\n- \"true\"\n- \"\"\n- \" a\"\n- \"a: b\"\n- \"- a\"\n- say \"hi\"\n- \"# no\"\n- \"1e3\"\n- a:b"
        );
    }

    #[test]
    fn longer_text_keeps_its_lines() {
        assert_eq!(
            shown(&json!({"Body": "one\n two\u{1b}\n", "x": 1})),
            "Body: |\n  one\n   two\\u{1b}\nx: 1"
        );
    }

    #[test]
    fn documents_within_text_are_readable() {
        let value = json!({"Policy": "{\"Version\":\"2012-10-17\",\"it's\":1}"});
        assert_eq!(shown(&value), "Policy: '{\"Version\":\"2012-10-17\",\"it''s\":1}'");
    }

    #[test]
    fn packages_are_hinted_at() {
        let value = json!({"ZipFile": "UEsDBBQA".repeat(100)});
        assert_eq!(
            shown(&value),
            "ZipFile: UEsDBBQAUEsDBBQAUEsDBBQAUEsDBBQAUEsDBBQA… (800 characters)"
        );
    }

    #[test]
    fn nothing_hostile_gets_through() {
        let value = json!({"a\u{1b}[0m": "x\u{202e}y\r"});
        assert_eq!(shown(&value), "\"a\\u{1b}[0m\": \"x\\u{202e}y\\r\"");
    }

    #[test]
    fn no_body_has_no_lines() {
        assert_eq!(shown(&Value::Null), "");
        assert_eq!(shown(&json!({})), "{}");
    }
}
