//! What a target is told of an event: all of it, a part, a text of its own, or a text made from parts.

use serde_json::{Map, Value};

/// Refuses what says two things at once, and templates whose parts are not there.
pub(super) fn check(target: &Value) -> Result<(), String> {
    let given = ["Input", "InputPath", "InputTransformer"];
    let given = given.iter().filter(|name| !target[**name].is_null()).count();
    if given > 1 {
        return Err(
            "Only one of Input, InputPath, or InputTransformer must be provided for target."
                .to_owned(),
        );
    }
    if let Some(text) = target["Input"].as_str()
        && serde_json::from_str::<Value>(text).is_err()
    {
        return Err("Parameter Input is not valid. Reason: it is no JSON.".to_owned());
    }
    let template = target["InputTransformer"]["InputTemplate"].as_str().unwrap_or_default();
    let paths = target["InputTransformer"]["InputPathsMap"].as_object();
    let known = |name: &str| {
        name.starts_with("aws.") || paths.is_some_and(|paths| paths.contains_key(name))
    };
    match parts(template).find(|part| matches!(part, Part::Name(name) if !known(name))) {
        Some(Part::Name(name)) => {
            Err(format!("Invalid InputTemplate: {name} is not defined in InputPathsMap."))
        }
        _ => Ok(()),
    }
}

/// What a target is told.
pub(super) fn told(target: &Value, event: &Value, rule_arn: &str, now: &str) -> String {
    if let Some(text) = target["Input"].as_str() {
        return text.to_owned();
    }
    if let Some(path) = target["InputPath"].as_str() {
        return at(event, path).cloned().unwrap_or_default().to_string();
    }
    let transformer = &target["InputTransformer"];
    let Some(template) = transformer["InputTemplate"].as_str() else { return event.to_string() };
    let own = Value::String(rule_arn.to_owned());
    let rule_name = Value::String(rule_arn.rsplit('/').next().unwrap_or_default().to_owned());
    let time = Value::String(now.to_owned());
    let empty = Map::new();
    let paths = transformer["InputPathsMap"].as_object().unwrap_or(&empty);
    let value = |name: &str| match name {
        "aws.events.rule-arn" => Some(own.clone()),
        "aws.events.rule-name" => Some(rule_name.clone()),
        "aws.events.event.ingestion-time" => Some(time.clone()),
        "aws.events.event" | "aws.events.event.json" => Some(event.clone()),
        name => paths.get(name).and_then(Value::as_str).and_then(|path| at(event, path)).cloned(),
    };
    let mut text = String::new();
    let mut is_quoted = false;
    for part in parts(template) {
        match part {
            Part::Text(plain) => {
                text.push_str(plain);
                let mut before = ' ';
                for letter in plain.chars() {
                    is_quoted ^= letter == '"' && before != '\\';
                    before = letter;
                }
            }
            // Within quotes a text stands without its own, and anything else as it is written.
            Part::Name(name) => match (value(name), is_quoted) {
                (Some(Value::String(plain)), true) => {
                    let written = Value::String(plain).to_string();
                    text.push_str(
                        written.trim_start_matches('"').strip_suffix('"').unwrap_or_default(),
                    );
                }
                (Some(value), true) => text.push_str(&value.to_string().replace('"', "\\\"")),
                (Some(value), false) => text.push_str(&value.to_string()),
                // What is not there is an empty text.
                (None, true) => {}
                (None, false) => text.push_str("\"\""),
            },
        }
    }
    text
}

enum Part<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The parts of a template: `<name>` stands for something, all else for itself.
fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let letters = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if let Some((name, after)) = rest.strip_prefix('<').and_then(|text| text.split_once('>'))
            && letters(name)
        {
            rest = after;
            return Some(Part::Name(name));
        }
        let end = rest.char_indices().skip(1).find(|(_, letter)| *letter == '<');
        let (text, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Part::Text(text))
    })
}

/// The value at a path such as `$.detail.items[0].name`.
fn at<'v>(event: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = event;
    for step in path.strip_prefix('$')?.split('.').filter(|step| !step.is_empty()) {
        let mut pieces = step.split('[');
        let name = pieces.next()?;
        if !name.is_empty() {
            value = value.get(name)?;
        }
        for piece in pieces {
            let index = piece.strip_suffix(']')?;
            value = match index.parse::<usize>() {
                Ok(index) => value.get(index)?,
                Err(_) => value.get(index.trim_matches(['\'', '"']))?,
            };
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_is_told_what_it_asks_for() {
        let event = json!({"source": "s", "detail": {"n": 3, "list": [{"name": "a \"b\""}], "deep": {"x": 1}}});
        let say = |target: Value| told(&target, &event, "arn:aws:events:r:1:rule/r1", "T");
        assert_eq!(say(json!({})), event.to_string());
        assert_eq!(say(json!({"Input": "{\"a\":1}"})), "{\"a\":1}");
        assert_eq!(say(json!({"InputPath": "$.detail.list[0].name"})), r#""a \"b\"""#);
        let transformer = json!({"InputTransformer": {
            "InputPathsMap": {"n": "$.detail.n", "name": "$.detail.list[0].name", "deep": "$.detail.deep", "no": "$.none"},
            "InputTemplate": "{\"number\": <n>, \"text\": \"it is <name>, <n>\", \"deep\": <deep>, \"no\": <no>, \"rule\": \"<aws.events.rule-name>\", \"less\": \"1 < 2\"}",
        }});
        assert_eq!(
            serde_json::from_str::<Value>(&say(transformer)).expect("JSON"),
            json!({"number": 3, "text": "it is a \"b\", 3", "deep": {"x": 1}, "no": "", "rule": "r1", "less": "1 < 2"})
        );
        let unknown = json!({"InputTransformer": {"InputPathsMap": {}, "InputTemplate": "<x>"}});
        assert!(check(&unknown).is_err_and(|message| message.contains("x is not defined")));
        assert!(check(&json!({"Input": "1", "InputPath": "$"})).is_err());
    }
}
