//! Questions that a playbook may put to a person, and what counts as an answer.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::SourceId;
use crate::document::{self, Node, NodeKind};
use crate::json_schema;

/// The type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionType {
    /// Any text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of `choices`.
    Choice,
    /// Text that is hidden while typed and masked wherever it would appear.
    Secret,
    /// A list, written as YAML or JSON.
    List,
    /// A map, written as YAML or JSON.
    Map,
}

impl QuestionType {
    /// As a playbook writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
            Self::Secret => "secret",
            Self::List => "list",
            Self::Map => "map",
        }
    }
}

/// A question, with what its answer must be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Question {
    /// The name of the input, or the id of the step that asks.
    pub name: String,
    /// What to ask; the name where there is nothing better.
    pub prompt: String,
    /// What kind of answer.
    pub answer: QuestionType,
    /// What to choose from, for [`QuestionType::Choice`].
    pub choices: Vec<String>,
    /// The answer when nothing is said.
    pub default: Option<Value>,
    /// A regular expression that the whole text must match.
    pub pattern: Option<String>,
    /// The least number allowed.
    pub min: Option<f64>,
    /// The greatest number allowed.
    pub max: Option<f64>,
    /// The least number of characters.
    pub min_length: Option<usize>,
    /// Whether a secret is asked for twice.
    pub twice: bool,
    /// A JSON Schema of the answer, for [`QuestionType::List`] and [`QuestionType::Map`].
    pub schema: Option<Value>,
    /// How long to wait for an answer; for ever when absent.
    pub backoff: Option<SignedDuration>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A person said so.
    Given(Value),
    /// Nobody was there to ask, or they just pressed return.
    Default(Value),
    /// A dry run, in which nobody is asked.
    NotAsked,
}

impl Question {
    /// Reads text (from a terminal, the command line or the environment) as an answer.
    ///
    /// # Errors
    /// A sentence that says what the answer must be; it never repeats the text.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        let value = match self.answer {
            QuestionType::String | QuestionType::Choice | QuestionType::Secret => Value::from(text),
            QuestionType::Integer => Value::from(
                trimmed
                    .parse::<i64>()
                    .map(serde_json::Number::from)
                    .or_else(|_| trimmed.parse::<u64>().map(serde_json::Number::from))
                    .map_err(|_| match trimmed.parse::<f64>() {
                        Ok(_) if !trimmed.contains(['.', 'e', 'E', 'n', 'N']) => {
                            TOO_LONG.to_owned()
                        }
                        _ => "must be a whole number, such as 41".to_owned(),
                    })?,
            ),
            QuestionType::Number => number(trimmed)?,
            QuestionType::List | QuestionType::Map => return self.read(&written_out(text)?),
            QuestionType::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "y" | "yes" | "true" | "on" | "1" => Value::Bool(true),
                "n" | "no" | "false" | "off" | "0" => Value::Bool(false),
                _ => return Err("must be yes or no".to_owned()),
            },
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Reads what stands in a file as an answer. Where text is asked for, a number without quotes is what is written.
    ///
    /// # Errors
    /// A sentence that says what the answer must be; it never repeats the value.
    pub fn read(&self, node: &Node) -> Result<Value, String> {
        let text = matches!(
            self.answer,
            QuestionType::String | QuestionType::Choice | QuestionType::Secret
        );
        let value = match node.written().filter(|_| text) {
            Some(written) => Value::from(written),
            None if holds_inexact(node) => return Err(TOO_LONG.to_owned()),
            None => document::to_json(node),
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Whether a typed value may stand as an answer.
    ///
    /// # Errors
    /// A sentence that says what the answer must be; it never repeats the value.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match (self.answer, value) {
            (QuestionType::String | QuestionType::Secret, Value::String(text)) => {
                self.check_text(text)
            }
            (QuestionType::Choice, Value::String(text)) => {
                if self.choices.iter().any(|choice| choice == text) {
                    Ok(())
                } else {
                    Err(format!("must be one of {}", self.choices.join(", ")))
                }
            }
            (QuestionType::Integer, Value::Number(number))
                if number.is_i64() || number.is_u64() =>
            {
                self.check_range(number)
            }
            (QuestionType::Number, Value::Number(number)) => self.check_range(number),
            (QuestionType::Boolean, Value::Bool(_)) => Ok(()),
            (QuestionType::List, Value::Array(_)) | (QuestionType::Map, Value::Object(_)) => {
                let fault = self.schema.as_ref().and_then(|it| json_schema::fault(it, value));
                fault.map_or(Ok(()), Err)
            }
            (QuestionType::List, _) => Err("must be a list, such as [one, another]".to_owned()),
            (QuestionType::Map, _) => Err("must be a map, such as {name: value}".to_owned()),
            (QuestionType::String | QuestionType::Secret | QuestionType::Choice, _) => {
                Err("must be text; quote it".to_owned())
            }
            (QuestionType::Integer, _) => Err("must be a whole number, such as 41".to_owned()),
            (QuestionType::Number, _) => Err("must be a number, such as 4 or 2.5".to_owned()),
            (QuestionType::Boolean, _) => Err("must be true or false".to_owned()),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), String> {
        if let Some(least) = self.min_length
            && text.chars().count() < least
        {
            return Err(format!("must have at least {least} character{}", plural(least)));
        }
        if let Some(pattern) = &self.pattern {
            let whole = regex_lite::Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|_| format!("has a pattern that is no regular expression: {pattern}"))?;
            if !whole.is_match(text) {
                return Err(format!("must match the pattern {pattern}"));
            }
        }
        Ok(())
    }

    fn check_range(&self, number: &serde_json::Number) -> Result<(), String> {
        let value = number.as_f64().unwrap_or(f64::NAN);
        if let Some(min) = self.min
            && value < min
        {
            return Err(format!("must be at least {min}"));
        }
        if let Some(max) = self.max
            && value > max
        {
            return Err(format!("must be at most {max}"));
        }
        Ok(())
    }
}

const TOO_LONG: &str = "has a number of more digits than can be kept";

fn number(text: &str) -> Result<Value, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(Value::from(whole));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Ok(Value::from(whole));
    }
    let number = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
    match number {
        Some(number) if crate::template::is_exact(text) => Ok(Value::Number(number)),
        Some(_) => Err(TOO_LONG.to_owned()),
        None => Err("must be a number, such as 4 or 2.5".to_owned()),
    }
}

/// A list or a map that is written on the command line, in the environment or at a terminal.
fn written_out(text: &str) -> Result<Node, String> {
    document::parse(SourceId::default(), text)
        .map_err(|_| "must be written as YAML or JSON, such as [one, another]".to_owned())
}

fn holds_inexact(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().any(holds_inexact),
        NodeKind::Mapping(entries) => entries.iter().any(|entry| holds_inexact(&entry.value)),
        _ => node.is_inexact_number(),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question(answer: QuestionType) -> Question {
        Question { answer, ..Question::default() }
    }

    #[test]
    fn text_becomes_typed_values() {
        assert_eq!(question(QuestionType::Integer).parse(" 41 "), Ok(json!(41)));
        assert_eq!(question(QuestionType::Number).parse("2.5"), Ok(json!(2.5)));
        assert_eq!(question(QuestionType::Number).parse("2"), Ok(json!(2)));
        assert_eq!(question(QuestionType::Boolean).parse("Yes"), Ok(json!(true)));
        assert_eq!(question(QuestionType::Secret).parse(" a b "), Ok(json!(" a b ")));
    }

    #[test]
    fn refusals_say_what_is_wanted_and_never_what_was_given() {
        let refused = question(QuestionType::Integer).parse("hunter2");
        assert_eq!(refused, Err("must be a whole number, such as 41".to_owned()));
        let short = Question { min_length: Some(8), ..question(QuestionType::Secret) };
        assert_eq!(short.parse("hunter2"), Err("must have at least 8 characters".to_owned()));
        let choice = Question {
            choices: vec!["plus".into(), "minus".into()],
            ..question(QuestionType::Choice)
        };
        assert_eq!(choice.parse("hunter2"), Err("must be one of plus, minus".to_owned()));
        assert_eq!(
            question(QuestionType::Number).parse("NaN"),
            Err("must be a number, such as 4 or 2.5".to_owned())
        );
    }

    #[test]
    fn ranges_and_patterns_hold() {
        let range = Question { min: Some(1.0), max: Some(50.0), ..question(QuestionType::Integer) };
        assert_eq!(range.parse("0"), Err("must be at least 1".to_owned()));
        assert_eq!(range.parse("51"), Err("must be at most 50".to_owned()));
        let pattern =
            Question { pattern: Some("[a-z]+|[0-9]".into()), ..question(QuestionType::String) };
        assert_eq!(pattern.parse("abc"), Ok(json!("abc")));
        assert_eq!(pattern.parse("abc0"), Err("must match the pattern [a-z]+|[0-9]".to_owned()));
    }
}
