//! `batch-write-items`: many items in a DynamoDB table.

use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::put_item::attribute_value::{Item, Plain, item};
use super::put_item::changes::{Change, Items, Pauses, current, key_names, key_of};
use engine::step::{Context, StepError, StepKind};

/// `batch-write-items`.
pub struct BatchWriteItems;

/// Puts many items into a DynamoDB table, in place of those that have the same keys.
///
/// Items are written as for `put-item`, 25 at a time, and what DynamoDB leaves undone is sent again. When the run is
/// over, what was there before is put back, and what was not is deleted, but for what somebody has changed since.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The table's name.
    table_name: String,
    /// The items: maps of attributes by name.
    #[schemars(extend("x-stored" = true))]
    items: Vec<Plain>,
    /// Whether `items` are written in DynamoDB's own notation.
    #[serde(default)]
    typed: bool,
    /// Attributes that something else, such as a function, may add or change without making an item any less the run's
    /// to undo.
    #[serde(default)]
    ignore_changes: Vec<String>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The table's name.
    #[schemars(extend("x-known" = true))]
    table_name: String,
    /// The items.
    #[schemars(extend("x-known" = true))]
    items: Vec<Plain>,
    /// How many they are.
    #[schemars(extend("x-known" = true))]
    count: usize,
}

/// What DynamoDB takes in one request.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
const MOST: usize = 25;

impl StepKind for BatchWriteItems {
    const NAME: &'static str = "batch-write-items";
    const CALLS: &'static [&'static str] = &[
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
    ];
    const EXAMPLE: &'static str = "\
- batch-write-items:
    table_name: \"{{ steps.stack.outputs.TableName }}\"
    items:
      - {UserEmail: test_email_1@example.com, UserName: test_user_1}
      - {UserEmail: test_email_2@example.com, UserName: test_user_2}
    ignore_changes: [LastLogin]
";

    type Input = Input;
    type Output = Output;
    type Created = Items;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let items = read(&input.items, input.typed)?;
        if !items.is_empty() {
            let names = key_names(&cx, &input.table_name).await?;
            for chunk in items.chunks(MOST) {
                write(&cx, &input, &names, chunk).await?;
            }
        }
        Ok(Output { table_name: input.table_name, count: input.items.len(), items: input.items })
    }
}

fn read(items: &[Plain], typed: bool) -> Result<Vec<Item>, StepError> {
    let numbered = items.iter().enumerate();
    numbered
        .map(|(at, plain)| item(plain, typed).map_err(|unfit| unfit.within(&at).of("items")))
        .collect()
}

/// Writes as many items as one request takes.
async fn write(
    cx: &Context,
    input: &Input,
    names: &[String],
    items: &[Item],
) -> Result<(), StepError> {
    let keys = items.iter().map(|item| key_of(names, item)).collect::<Result<Vec<_>, _>>()?;
    let previous = current(cx, &input.table_name, &keys, &[]).await?;
    let changes = keys
        .iter()
        .zip(&previous)
        .zip(items)
        .map(|((key, previous), item)| Change::new(key, previous.as_ref(), Some(item)));
    let entry = cx.intend(&Items {
        table_name: input.table_name.clone(),
        changes: changes.collect(),
        ignore_changes: input.ignore_changes.clone(),
    })?;
    let mut pauses = Pauses::new("writing items");
    let mut left = requests(items)?;
    let mut written = false;
    while !left.is_empty() {
        let request = cx.aws.dynamodb().batch_write_item().request_items(&input.table_name, left);
        let placeholder = || Ok(BatchWriteItemOutput::builder().build());
        let output = match cx.aws.call(request.send(), placeholder).await {
            Ok(output) => output,
            // Some are there already, so the entry stays open.
            Err(error) if written => return Err(error.into()),
            Err(error) => return Err(entry.error(error)),
        };
        written = true;
        left = output.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
        if !left.is_empty() {
            pauses.next(cx).await?;
        }
    }
    entry.done(&())
}

fn requests(items: &[Item]) -> Result<Vec<WriteRequest>, StepError> {
    items
        .iter()
        .map(|item| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build()?;
            Ok(WriteRequest::builder().put_request(put).build())
        })
        .collect::<Result<_, aws_smithy_types::error::operation::BuildError>>()
        .map_err(|error| StepError::failed("InvalidInput", error.to_string()))
}
