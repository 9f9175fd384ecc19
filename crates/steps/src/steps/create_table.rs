//! `create-table`: a DynamoDB table.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::create_table::CreateTableOutput;
use aws_sdk_dynamodb::operation::delete_table::DeleteTableOutput;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableOutput;
use aws_sdk_dynamodb::operation::list_tags_of_resource::ListTagsOfResourceOutput;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ProvisionedThroughput,
    ScalarAttributeType, TableDescription, TableStatus, Tag,
};
use aws_smithy_types::error::operation::BuildError;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::create_role::run_tag;
use engine::aws::{CallError, Outcome};
use engine::step::context::Backoff;
use engine::step::owner::made_again;
use engine::step::{Context, Entry, Owner, Resource, StepError, StepKind, Undone};

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
    #[schemars(extend("x-name" = true))]
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

/// A table that the run made.
#[derive(Serialize, Deserialize)]
pub struct Table {
    pub(super) table_name: String,
    /// The names of its key's attributes, in order.
    pub(super) key: Vec<String>,
}

/// What tells this table from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct TableIds {
    table_id: Option<String>,
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
        create(&cx, &input).await?;
        let table = active(&cx, &input.table_name).await?;
        Ok(Output {
            table_name: input.table_name,
            status: status_of(&table).to_owned(),
            arn: table.table_arn.unwrap_or_default(),
            table_id: table.table_id.unwrap_or_default(),
        })
    }
}

async fn create(cx: &Context, input: &Input) -> Result<(), StepError> {
    let invalid = |error: BuildError| StepError::failed("InvalidInput", error.to_string());
    let (definitions, schema) = definitions(&input.key).map_err(invalid)?;
    let throughput = input.provisioned_throughput.map(throughput).transpose().map_err(invalid)?;
    let entry = cx.intend(&Table {
        table_name: input.table_name.clone(),
        key: input.key.0.iter().map(|(name, _)| name.clone()).collect(),
    })?;
    let earlier =
        |entry: &Entry| cx.made_before(entry, |other: &Table| other.table_name == input.table_name);
    let billing =
        if throughput.is_some() { BillingMode::Provisioned } else { BillingMode::PayPerRequest };
    let request = cx
        .aws
        .dynamodb()
        .create_table()
        .table_name(&input.table_name)
        .set_attribute_definitions(Some(definitions))
        .set_key_schema(Some(schema))
        .billing_mode(billing)
        .set_provisioned_throughput(throughput)
        .set_tags(Some(tags(cx, &input.tags).map_err(invalid)?));
    let placeholder =
        || Ok(CreateTableOutput::builder().table_description(placeholder(cx, "CREATING")).build());
    let made = match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => output.table_description,
        Err(error)
            if is_in_use(&error) && error.outcome == Outcome::Unknown && !earlier(&entry) =>
        {
            match look(cx, &input.table_name, Some("ACTIVE")).await {
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                Ok(Some(table))
                    if owner(cx, &table).await.is_ok_and(|owner| owner.is_this_run()) =>
                {
                    Some(table)
                }
                Ok(_) | Err(_) => return Err(entry.error(error)),
            }
        }
        Err(error) if is_in_use(&error) => {
            entry.refused("ResourceInUseException")?;
            return Err(exists(error));
        }
        Err(error) => return Err(entry.error(error)),
    };
    entry.done(&TableIds { table_id: made.and_then(|it| it.table_id) })
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

fn tags(cx: &Context, given: &BTreeMap<String, String>) -> Result<Vec<Tag>, BuildError> {
    let all = given.clone().into_iter().chain([run_tag(cx)]);
    all.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// DynamoDB says so of a table that is there, and of one that is being made or deleted.
fn is_in_use(error: &CallError) -> bool {
    error.is("ResourceInUseException")
}

fn exists(error: CallError) -> StepError {
    StepError::Failed {
        code: "ResourceInUseException".to_owned(),
        message: error.message,
        help: Some("choose another name; the table that is there was not touched".to_owned()),
        details: Vec::new(),
    }
}

fn placeholder(cx: &Context, status: &str) -> TableDescription {
    TableDescription::builder()
        .table_arn(cx.later("arn"))
        .table_id(cx.later("table_id"))
        .table_status(TableStatus::from(status))
        .build()
}

/// Describes a table, if it is there; a dry run sees it in the state that is `planned`.
async fn look(
    cx: &Context,
    table_name: &str,
    planned: Option<&str>,
) -> Result<Option<TableDescription>, CallError> {
    let request = cx.aws.dynamodb().describe_table().table_name(table_name);
    let placeholder = || {
        let table = planned.map(|status| placeholder(cx, status));
        Ok(DescribeTableOutput::builder().set_table(table).build())
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(output.table),
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

fn status_of(table: &TableDescription) -> &str {
    table.table_status().map(TableStatus::as_str).unwrap_or_default()
}

async fn owner(cx: &Context, table: &TableDescription) -> Result<Owner, CallError> {
    let (key, value) = run_tag(cx);
    let mut next_token = None;
    loop {
        let request = cx
            .aws
            .dynamodb()
            .list_tags_of_resource()
            .resource_arn(table.table_arn().unwrap_or_default())
            .set_next_token(next_token);
        let placeholder = || {
            let tag = Tag::builder().key(&key).value(&value).build()?;
            Ok(ListTagsOfResourceOutput::builder().tags(tag).build())
        };
        let page = match cx.aws.call(request.send(), placeholder).await {
            // Whoever lists tags may be behind those who describe tables.
            Err(error) if error.is("ResourceNotFoundException") => return Ok(Owner::Unknown),
            page => page?,
        };
        if let Some(tag) = page.tags().iter().find(|tag| tag.key() == key) {
            return Ok(Owner::of(cx, Some(tag.value())));
        }
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(Owner::Unknown);
        }
    }
}

const fn backoff() -> Backoff {
    Backoff {
        first: Duration::from_millis(25),
        longest: Duration::from_secs(2),
        limit: Duration::from_mins(10),
    }
}

async fn active(cx: &Context, table_name: &str) -> Result<TableDescription, StepError> {
    cx.until(&format!("the table {table_name}"), backoff(), || async {
        // A table that has just been made may not be seen yet.
        let found = look(cx, table_name, Some("ACTIVE")).await?;
        Ok(found.filter(|table| table.table_status() == Some(&TableStatus::Active)))
    })
    .await
}

impl Resource for Table {
    const TYPE: &'static str = "AWS::DynamoDB::Table";
    const UNDO: &'static [&'static str] =
        &["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:DeleteTable"];
    type Ids = TableIds;

    fn label(&self) -> String {
        self.table_name.clone()
    }

    async fn undo(self, cx: Context, ids: Option<TableIds>) -> Result<Undone, StepError> {
        let Some(table) = look(&cx, &self.table_name, Some("ACTIVE")).await? else {
            return Ok(Undone::AlreadyGone);
        };
        // No two tables ever have the same id; where it is not known, the tags tell.
        match ids.and_then(|ids| ids.table_id) {
            Some(known) if table.table_id() != Some(known.as_str()) => return Ok(made_again()),
            Some(_) => {}
            None => {
                if let Some(spared) = owner(&cx, &table).await?.spared(&cx) {
                    return Ok(spared);
                }
            }
        }
        delete(&cx, &self.table_name).await
    }
}

/// Deletes a table and waits until it is gone.
async fn delete(cx: &Context, table_name: &str) -> Result<Undone, StepError> {
    // A table that is still being made cannot be deleted yet.
    let deleted = cx
        .while_refused(backoff(), is_in_use, || async {
            let request = cx.aws.dynamodb().delete_table().table_name(table_name);
            cx.aws.call(request.send(), || Ok(DeleteTableOutput::builder().build())).await
        })
        .await;
    match deleted {
        Err(error) if error.is("ResourceNotFoundException") => return Ok(Undone::AlreadyGone),
        deleted => deleted.map(drop)?,
    }
    cx.until(&format!("the deletion of the table {table_name}"), backoff(), || async {
        Ok(look(cx, table_name, None).await?.is_none().then_some(()))
    })
    .await?;
    Ok(Undone::Deleted)
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
