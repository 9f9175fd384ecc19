//! `get-item`: an item of a DynamoDB table.

use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::items::attribute_value::{Plain, item, plain};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `get-item`.
pub struct GetItem;

/// Reads one item of a DynamoDB table.
///
/// What comes back is plain data, as `put-item` takes it. An item that is not there is no error: `found` is false and `item`
/// null.
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
    /// Whether to see every write that came before.
    #[serde(default = "yes")]
    consistent_read: bool,
}

fn yes() -> bool {
    true
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// Whether there is such an item.
    found: bool,
    /// The item: attributes by name; null where there is none.
    item: Option<Plain>,
}

impl StepKind for GetItem {
    const NAME: &'static str = "get-item";
    const CALLS: &'static [&'static str] = &["dynamodb:GetItem"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: known
  get-item:
    table_name: \"{{ steps.stack.outputs.TableName }}\"
    key: {UserEmail: test_email_1@example.com}
  assert: result.item.UserName == 'test_user_1'
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let key = item(&input.key, input.typed).map_err(|unfit| unfit.of("key"))?;
        let request = cx
            .aws
            .dynamodb()
            .get_item()
            .table_name(&input.table_name)
            .set_key(Some(key.clone()))
            .consistent_read(input.consistent_read);
        let placeholder = || Ok(GetItemOutput::builder().set_item(Some(key)).build());
        let found = cx.aws.call(request.send(), placeholder).await?.item;
        Ok(Output { found: found.is_some(), item: found.map(|item| plain(&item, input.typed)) })
    }
}
