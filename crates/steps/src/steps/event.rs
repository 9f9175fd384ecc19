//! `event`: what Lambda hands a function when something happens elsewhere.

mod documentdb;
mod dynamodb;
mod kinesis;
mod msk;
mod s3;
mod setting;
mod sns;
mod sqs;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use self::setting::{Common, Made, Setting};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `event`.
pub struct Event;

/// A service whose events are made here.
trait Source: DeserializeOwned + JsonSchema {
    /// The whole event.
    fn event(self, setting: &Setting) -> Result<Made, StepError>;
}

/// Declares the sources. A line reads `module, its name in a playbook, its type`.
macro_rules! sources {
    ($($module:ident $name:literal $variant:ident,)*) => {
        /// What happened, where.
        enum Given {
            $($variant($module::Given),)*
        }

        const SOURCES: &[&str] = &[$($name),*];

        impl Given {
            fn read(source: &str, fields: Value) -> Result<Self, String> {
                match source {
                    $($name => typed(&fields).map(Self::$variant),)*
                    other => Err(format!(
                        "there is no source `{other}`; the sources are {}",
                        SOURCES.join(", ")
                    )),
                }
            }

            fn event(self, setting: &Setting) -> Result<Made, StepError> {
                match self {
                    $(Self::$variant(given) => given.event(setting),)*
                }
            }

            fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
                vec![$(of_source($name, $module::Given::json_schema(generator), generator)),*]
            }
        }
    };
}

sources! {
    documentdb "documentdb" DocumentDb,
    dynamodb "dynamodb" DynamoDb,
    kinesis "kinesis" Kinesis,
    msk "msk" Msk,
    s3 "s3" S3,
    sns "sns" Sns,
    sqs "sqs" Sqs,
}

/// A source, its records, and where and when it happens.
pub struct Input {
    common: Common,
    given: Given,
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let Some(Value::String(source)) = fields.remove("source") else {
            return Err(D::Error::missing_field("source"));
        };
        let mut common = Map::new();
        for name in Common::FIELDS {
            if let Some(value) = fields.remove(name) {
                common.insert(name.to_owned(), value);
            }
        }
        let common = typed(&Value::Object(common)).map_err(D::Error::custom)?;
        let given = Given::read(&source, Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { common, given })
    }
}

/// The fields of a source differ from those of the next, so what is wrong says where it is.
fn typed<T: DeserializeOwned>(fields: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(fields).map_err(|error| match error.path().to_string() {
        path if path == "." => error.into_inner().to_string(),
        path => format!("`{path}`: {}", error.into_inner()),
    })
}

impl JsonSchema for Input {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let sources = Given::schemas(generator);
        json_schema!({
            "description": DESCRIPTION,
            "oneOf": sources,
        })
    }
}

/// The manual page: schemas that are put together by hand have no comment to take it from.
const DESCRIPTION: &str = "Makes the event that Lambda hands a function when something happens elsewhere.\n\nThe fields that \
     matter are given, the rest of the documented envelope is made from them: identifiers, ARNs, checksums, encodings, times. \
     Nothing is called, and the same fields always make the same event, so a dry run shows it exactly as it will be sent. \
     `invoke` takes it as its payload.\n\nA function that connects to a database of RDS is handed no event of RDS's: invoke it \
     with any payload.";

/// The schema of one source: its own fields between `source` and those that all have.
fn of_source(name: &str, own: Schema, generator: &mut SchemaGenerator) -> Schema {
    let common = Common::json_schema(generator);
    let mut schema = own;
    let tag = json_schema!({
        "description": "Where it happens.",
        "type": "string",
        "const": name,
    });
    let mut properties = Map::from_iter([("source".to_owned(), tag.to_value())]);
    for more in [schema.get("properties"), common.get("properties")] {
        properties.extend(more.and_then(Value::as_object).cloned().unwrap_or_default());
    }
    let mut required = vec![Value::from("source")];
    required.extend(schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default());
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("required".to_owned(), Value::Array(required));
    schema
}

/// The event.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The whole event, as the function gets it.
    #[schemars(extend("x-known" = true))]
    event: Value,
    /// What tells each record from the others: for `sqs` the message's id, for `kinesis` and `dynamodb` the sequence number (these
    /// are what `batchItemFailures` names), for `sns` the message's id, for `s3` the sequencer, for `msk` topic, partition and offset, for
    /// `documentdb` the resume token.
    #[schemars(extend("x-known" = true))]
    identifiers: Vec<String>,
}

impl StepKind for Event {
    const NAME: &'static str = "event";
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: messages
  event:
    source: sqs
    queue: orders
    records:
      - body: {order: 1}
      - body: a text
- invoke:
    function_name: orders
    payload: \"{{ steps.messages.event }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let Made { event, identifiers } = input.given.event(&Setting::new(&cx, input.common)?)?;
        Ok(Output { event, identifiers })
    }
}
