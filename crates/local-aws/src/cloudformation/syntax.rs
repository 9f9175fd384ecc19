//! Template text → JSON in which every function has its long form: `!Ref x` becomes `{"Ref": "x"}`.

use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;

use super::error::{malformed, unsupported};
use crate::protocol::AwsError;

const LONGEST: usize = 51_200;

/// Reads a template's text, which is JSON where it begins with a brace and YAML otherwise.
pub fn read(text: &str) -> Result<Value, AwsError> {
    if text.len() > LONGEST {
        return Err(super::error::invalid(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have \
             length less than or equal to {LONGEST}"
        )));
    }
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    let yaml: Yaml = serde_yaml::from_str(text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |place| {
            format!(" (line {}, column {})", place.line(), place.column())
        });
        malformed(format!("YAML not well-formed.{place}"))
    })?;
    plain(yaml)
}

fn plain(yaml: Yaml) -> Result<Value, AwsError> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Number(number) => serde_json::to_value(&number).unwrap_or(Value::Null),
        Yaml::String(text) => json!(text),
        Yaml::Sequence(items) => {
            Value::Array(items.into_iter().map(plain).collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(members) => {
            let mut map = Map::new();
            for (key, value) in members {
                map.insert(key_text(&key)?, plain(value)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            function(tag.trim_start_matches('!'), &plain(tagged.value)?)?
        }
    })
}

fn key_text(key: &Yaml) -> Result<String, AwsError> {
    match key {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(value) => Ok(value.to_string()),
        _ => Err(malformed("every key must be a string")),
    }
}

fn function(tag: &str, value: &Value) -> Result<Value, AwsError> {
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        "GetAtt" | "Sub" | "Join" | "If" | "Equals" | "Not" | "And" | "Or" | "FindInMap"
        | "Select" | "Split" | "Base64" | "ImportValue" | "GetAZs" | "Cidr" | "Transform"
        | "Length" | "ToJsonString" => format!("Fn::{tag}"),
        _ => return Err(unsupported(&format!("the YAML tag !{tag}"))),
    };
    Ok(json!({name: value}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_ones() {
        let yaml = "a: !Ref b\nc: !GetAtt d.Arn\ne: !Join ['-', [!Ref b, x, 1]]\nf: !If\n  - g\n  - !Sub '${b}-1'\n  - !Ref AWS::NoValue\n";
        assert_eq!(
            read(yaml).expect("YAML"),
            json!({
                "a": {"Ref": "b"},
                "c": {"Fn::GetAtt": "d.Arn"},
                "e": {"Fn::Join": ["-", [{"Ref": "b"}, "x", 1]]},
                "f": {"Fn::If": ["g", {"Fn::Sub": "${b}-1"}, {"Ref": "AWS::NoValue"}]},
            })
        );
        assert_eq!(read(" {\"a\": [1, true]}").expect("JSON"), json!({"a": [1, true]}));
    }

    #[test]
    fn what_is_neither_is_refused_with_its_place() {
        let refused = read("a: b\n c: d\n").expect_err("no YAML");
        assert!(
            refused.message.starts_with("Template format error: YAML not well-formed. (line 2"),
            "{refused}"
        );
        let tag = read("a: !Explode x").expect_err("no such tag");
        assert!(tag.message.contains("the YAML tag !Explode"), "{tag}");
    }
}
