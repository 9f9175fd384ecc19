//! `print`: something for the reader.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use engine::step::{Context, Nothing, StepError, StepKind};

/// `print`.
pub struct Print;

/// Shows text or data to whoever runs the playbook.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What to show: text as it is, anything else as YAML.
    #[schemars(extend("x-shown" = true))]
    message: Value,
}

/// Nothing.
#[derive(Serialize, JsonSchema)]
pub struct Output {}

impl StepKind for Print {
    const NAME: &'static str = "print";
    const SHORTHAND: Option<&'static str> = Some("message");
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- print: \"The result is {{ steps.increment.payload.result }}.\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        cx.say(shown(&input.message)?);
        Ok(Output {})
    }
}

fn shown(message: &Value) -> Result<String, StepError> {
    if let Value::String(text) = message {
        return Ok(text.trim_end().to_owned());
    }
    let text = serde_yaml::to_string(message).map_err(|error| {
        StepError::failed("InvalidInput", format!("this cannot be shown: {error}"))
    })?;
    Ok(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_shown_as_it_is_and_data_as_yaml() {
        let text = |message: Value| shown(&message).expect("text");
        assert_eq!(text(json!("yes: no\n")), "yes: no");
        assert_eq!(text(json!(42)), "42");
        assert_eq!(text(json!(null)), "null");
        assert_eq!(text(json!({"b": [1, 2], "a": {"c": true}})), "b:\n- 1\n- 2\na:\n  c: true");
    }
}
