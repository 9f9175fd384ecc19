//! `create-table`: a DynamoDB table.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ProvisionedThroughput,
    ScalarAttributeType,
};
use aws_smithy_types::error::operation::BuildError;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::resources::table::{self, Table};
use engine::step::{Context, StepError, StepKind};

/// `create-table`.
pub struct CreateTable;

/// Creates a DynamoDB table and waits until it is active.
///
/// A table of that name that is there already is an error. The table is deleted with all that is in it when the run is
/// over.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The table's name, unique in the account and region.
    #[schemars(extend("x-name" = true, "x-form" = "table-name"))]
    table_name: String,
    /// The attributes of the key with their types: first that of the partition key, then that of the sort key, if any.
    key: Key,
    /// What to provide for; when absent, what is used is paid for, request by request.
    provisioned_throughput: Option<Throughput>,
    /// Tags beside the run's own.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
}

/// The attributes of a key, in order.
#[derive(JsonSchema)]
#[schemars(with = "BTreeMap<String, Type>", extend("minProperties" = 1, "maxProperties" = 2))]
struct Key(Vec<(String, Type)>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let fields = serde_json::Map::deserialize(deserializer)?;
        let typed = fields.into_iter().map(|(name, value)| Ok((name, Type::deserialize(value)?)));
        let key = typed.collect::<Result<Vec<_>, serde_json::Error>>().map_err(D::Error::custom)?;
        if key.is_empty() || key.len() > 2 {
            return Err(D::Error::custom("a key has one attribute or two"));
        }
        Ok(Self(key))
    }
}

/// The type of an attribute of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Type {
    /// Text.
    String,
    /// A number.
    Number,
    /// Binary data.
    Binary,
}

impl Type {
    fn of_sdk(self) -> ScalarAttributeType {
        match self {
            Self::String => ScalarAttributeType::S,
            Self::Number => ScalarAttributeType::N,
            Self::Binary => ScalarAttributeType::B,
        }
    }
}

/// What to provide for.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Throughput {
    /// Reads of 4 KB in a second.
    #[schemars(range(min = 1))]
    read_capacity_units: i64,
    /// Writes of 1 KB in a second.
    #[schemars(range(min = 1))]
    write_capacity_units: i64,
}

/// What the table is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The table's name.
    #[schemars(extend("x-known" = true))]
    table_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "dynamodb:CreateTable TableDescription.TableArn"))]
    arn: String,
    /// Its unique id.
    #[schemars(extend("x-from" = "dynamodb:CreateTable TableDescription.TableId"))]
    table_id: String,
    /// `ACTIVE`.
    status: String,
}

impl StepKind for CreateTable {
    const NAME: &'static str = "create-table";
    const CALLS: &'static [&'static str] =
        &["dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"];
    const PERMISSIONS: &'static [&'static str] = &[
        "dynamodb:CreateTable",
        "dynamodb:TagResource",
        "dynamodb:DescribeTable",
        "dynamodb:ListTagsOfResource",
    ];
    const EXAMPLE: &'static str = "\
- id: table
  create-table:
    table_name: playbook-{{ run.id }}
    key: {UserEmail: string}
";

    type Input = Input;
    type Output = Output;
    type Created = Table;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = request(&cx, &input)
            .map_err(|error| StepError::failed("InvalidInput", error.to_string()))?;
        let key = input.key.0.into_iter().map(|(name, _)| name).collect();
        let made = Table { table_name: input.table_name, key };
        table::create(&cx, &made, request).await?;
        let described = table::active(&cx, &made.table_name).await?;
        Ok(Output {
            table_name: made.table_name,
            status: table::status_of(&described).to_owned(),
            arn: described.table_arn.unwrap_or_default(),
            table_id: described.table_id.unwrap_or_default(),
        })
    }
}

fn request(cx: &Context, input: &Input) -> Result<CreateTableFluentBuilder, BuildError> {
    let (definitions, schema) = definitions(&input.key)?;
    let throughput = input.provisioned_throughput.map(throughput).transpose()?;
    let billing =
        if throughput.is_some() { BillingMode::Provisioned } else { BillingMode::PayPerRequest };
    let tags = table::tags(cx, &input.tags)?;
    let request = cx.aws.dynamodb().create_table();
    Ok(request
        .set_attribute_definitions(Some(definitions))
        .set_key_schema(Some(schema))
        .billing_mode(billing)
        .set_provisioned_throughput(throughput)
        .set_tags(Some(tags)))
}

type Schema = (Vec<AttributeDefinition>, Vec<KeySchemaElement>);

fn definitions(key: &Key) -> Result<Schema, BuildError> {
    let roles = [KeyType::Hash, KeyType::Range];
    let mut schema = Schema::default();
    for ((name, of), role) in key.0.iter().zip(roles) {
        let definition = AttributeDefinition::builder().attribute_name(name);
        schema.0.push(definition.attribute_type(of.of_sdk()).build()?);
        schema.1.push(KeySchemaElement::builder().attribute_name(name).key_type(role).build()?);
    }
    Ok(schema)
}

fn throughput(given: Throughput) -> Result<ProvisionedThroughput, BuildError> {
    ProvisionedThroughput::builder()
        .read_capacity_units(given.read_capacity_units)
        .write_capacity_units(given.write_capacity_units)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_is_read_in_order() {
        let key: Key =
            serde_json::from_value(json!({"z": "string", "a": "number"})).expect("a key");
        assert_eq!(key.0, [("z".to_owned(), Type::String), ("a".to_owned(), Type::Number)]);
        let (definitions, schema) = definitions(&key).expect("complete");
        assert_eq!(definitions[1].attribute_type(), &ScalarAttributeType::N);
        assert_eq!((schema[0].attribute_name(), schema[0].key_type()), ("z", &KeyType::Hash));
        assert_eq!((schema[1].attribute_name(), schema[1].key_type()), ("a", &KeyType::Range));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in [
            json!({}),
            json!({"a": "S"}),
            json!({"a": "string", "b": "string", "c": "string"}),
            json!("a"),
        ] {
            assert!(serde_json::from_value::<Key>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
