//! `delete-item`: the end of an item of a DynamoDB table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::items::attribute_value::{Plain, item, plain};
use crate::resources::items::{self, Items};
use engine::step::{Context, StepError, StepKind};

/// `delete-item`.
pub struct DeleteItem;

/// Deletes an item of a DynamoDB table.
///
/// An item that the run did not make is put back when the run is over, unless somebody has put another in its place; until
/// then the journal holds it. One that somebody changes between the look at it and its end is left as it is, which is an
/// error. One that is not there is none: `deleted` is false.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The table's name.
    table_name: String,
    /// The item's key: attributes by name.
    key: Plain,
    /// Whether `key` is written, and the item returned, in DynamoDB's own notation.
    #[serde(default)]
    typed: bool,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The table's name.
    #[schemars(extend("x-known" = true))]
    table_name: String,
    /// Whether there was such an item.
    deleted: bool,
    /// The item as it was; null where there was none.
    item: Option<Plain>,
}

impl StepKind for DeleteItem {
    const NAME: &'static str = "delete-item";
    const CALLS: &'static [&'static str] = &["dynamodb:GetItem", "dynamodb:DeleteItem"];
    const PERMISSIONS: &'static [&'static str] = &["dynamodb:GetItem", "dynamodb:DeleteItem"];
    const EXAMPLE: &'static str = "\
- delete-item:
    table_name: \"{{ steps.stack.outputs.TableName }}\"
    key: {UserEmail: test_email_1@example.com}
";

    type Input = Input;
    type Output = Output;
    type Created = Items;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let key = item(&input.key, input.typed).map_err(|unfit| unfit.of("key"))?;
        let previous = items::delete(&cx, &input.table_name, &key).await?;
        Ok(Output {
            table_name: input.table_name,
            deleted: previous.is_some(),
            item: previous.map(|item| plain(&item, input.typed)),
        })
    }
}
