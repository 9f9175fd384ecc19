//! `put-item`: an item in a DynamoDB table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::items::attribute_value::{Plain, item, plain};
use crate::resources::items::{self, Items};
use engine::step::{Context, StepError, StepKind};

/// `put-item`.
pub struct PutItem;

/// Puts an item into a DynamoDB table, in place of the one that has the same key.
///
/// The item is plain data: text, numbers, booleans, null, lists and maps. `{$binary: BASE64}` stands for binary data, `{$set:
/// [a, b]}` for a set of text, numbers or binary data, `{$number: "1.50"}` for a number with more digits than a double keeps,
/// and `{$map: {…}}` for a map that would otherwise be taken for one of these. With `typed: true` every value is written in
/// DynamoDB's own notation, such as `{S: text}`.
///
/// The step fails where somebody changes the item between the look at it and the change.
///
/// When the run is over, the item that was there before is put back, or the item is deleted where there was none, unless
/// somebody has changed it since. Until then the journal holds both.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The table's name.
    table_name: String,
    /// The item: attributes by name.
    #[schemars(extend("x-stored" = true))]
    item: Plain,
    /// Whether `item` is written in DynamoDB's own notation.
    #[serde(default)]
    typed: bool,
    /// Attributes that something else, such as a function, may add or change without making the item any less the run's
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
    /// The item.
    #[schemars(extend("x-known" = true))]
    item: Plain,
    /// The item that was there before; null where there was none.
    previous: Option<Plain>,
}

impl StepKind for PutItem {
    const NAME: &'static str = "put-item";
    const CALLS: &'static [&'static str] =
        &["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem"];
    const PERMISSIONS: &'static [&'static str] =
        &["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem"];
    const EXAMPLE: &'static str = "\
- put-item:
    table_name: \"{{ steps.stack.outputs.TableName }}\"
    item: {UserEmail: test_email_1@example.com, UserName: test_user_1}
    ignore_changes: [LastLogin]
";

    type Input = Input;
    type Output = Output;
    type Created = Items;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let put = item(&input.item, input.typed).map_err(|unfit| unfit.of("item"))?;
        let previous = items::put(&cx, &input.table_name, put, input.ignore_changes).await?;
        Ok(Output {
            table_name: input.table_name,
            item: input.item,
            previous: previous.map(|item| plain(&item, input.typed)),
        })
    }
}
