//! DynamoDB tables.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::create_table::CreateTableOutput;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::operation::delete_table::DeleteTableOutput;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableOutput;
use aws_sdk_dynamodb::operation::list_tags_of_resource::ListTagsOfResourceOutput;
use aws_sdk_dynamodb::types::{TableDescription, TableStatus, Tag};
use aws_smithy_types::error::operation::BuildError;
use serde::{Deserialize, Serialize};

use super::creation::{self, Creation, Unique};
use super::ownership::{run_tag, run_tags};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::owner::made_again;
use engine::step::{Context, Owner, Place, Resource, StepError, Undone};

/// A table that the run made.
#[derive(Serialize, Deserialize)]
pub struct Table {
    pub(crate) table_name: String,
    /// The names of its key's attributes, in order; not known of a table that was found by its tags.
    #[serde(default)]
    pub(crate) key: Vec<String>,
}

/// What tells this table from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct TableIds {
    table_id: Option<String>,
}

/// Creates a table, as `request` says.
pub(crate) async fn create(
    cx: &Context,
    table: &Table,
    request: CreateTableFluentBuilder,
) -> Result<(), StepError> {
    let request = request.table_name(&table.table_name);
    let placeholder =
        || Ok(CreateTableOutput::builder().table_description(placeholder(cx, "CREATING")).build());
    let call = async { Ok(cx.aws.call(request.send(), placeholder).await?) };
    let ids = |output: &CreateTableOutput| {
        let described = output.table_description();
        Some(TableIds { table_id: described.and_then(|it| it.table_id.clone()) })
    };
    match creation::create(cx, table, call, ids).await? {
        Creation::Created(_) | Creation::Found(_) => Ok(()),
        Creation::Taken(error, _) => Err(exists(error)),
    }
}

impl Unique for Table {
    type Found = TableDescription;

    fn is_taken(error: &CallError) -> bool {
        is_in_use(error)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.table_name == other.table_name
    }

    async fn find(&self, cx: &Context) -> Result<Option<TableDescription>, StepError> {
        Ok(look(cx, &self.table_name, Some("ACTIVE")).await?)
    }

    async fn whose(&self, cx: &Context, found: &TableDescription) -> Result<Owner, StepError> {
        Ok(owner(cx, found).await?)
    }

    fn ids(found: &TableDescription) -> TableIds {
        TableIds { table_id: found.table_id.clone() }
    }
}

pub(crate) fn tags(cx: &Context, given: &BTreeMap<String, String>) -> Result<Vec<Tag>, BuildError> {
    let all = given.clone().into_iter().chain(run_tags(cx));
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

pub(crate) fn status_of(table: &TableDescription) -> &str {
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

/// Whether the run has made a table, as its tags say.
pub(crate) async fn is_ours(cx: &Context, table_name: &str) -> Result<bool, CallError> {
    match look(cx, table_name, Some("ACTIVE")).await? {
        Some(table) => Ok(owner(cx, &table).await?.is_this_run()),
        None => Ok(false),
    }
}

const fn backoff() -> Backoff {
    Backoff {
        first: Duration::from_millis(25),
        longest: Duration::from_secs(2),
        limit: Duration::from_mins(10),
    }
}

pub(crate) async fn active(cx: &Context, table_name: &str) -> Result<TableDescription, StepError> {
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

    fn arn(&self, place: &Place<'_>) -> Option<String> {
        Some(place.arn("dynamodb", &format!("table/{}", self.table_name)))
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
