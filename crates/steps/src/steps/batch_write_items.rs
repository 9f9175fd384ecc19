//! `batch-write-items`: many items in a DynamoDB table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::items::attribute_value::{Item, Plain, item};
use crate::resources::items::{self, Items};
use engine::step::{Context, StepError, StepKind};

/// `batch-write-items`.
pub struct BatchWriteItems;

/// Puts many items into a DynamoDB table, in place of those that have the same keys.
///
/// Items are written as for `put-item`, 25 at a time, and what DynamoDB leaves undone is sent again. Two items with the same
/// key, wherever they stand in the list, are an error, and nothing is written. When the run is
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
        items::write(&cx, &input.table_name, &items, &input.ignore_changes).await?;
        Ok(Output { table_name: input.table_name, count: input.items.len(), items: input.items })
    }
}

fn read(items: &[Plain], typed: bool) -> Result<Vec<Item>, StepError> {
    let numbered = items.iter().enumerate();
    numbered
        .map(|(at, plain)| item(plain, typed).map_err(|unfit| unfit.within(&at).of("items")))
        .collect()
}
