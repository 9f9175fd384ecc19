//! `delete-item`: the end of an item of a DynamoDB table.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::put_item::attribute_value::{Item, Plain, item, plain};
use super::put_item::changes::{Change, Items, Unchanged, current, overtaken};
use engine::aws::{CallError, Outcome};
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
        let table_name = input.table_name;
        let key = item(&input.key, input.typed).map_err(|unfit| unfit.of("key"))?;
        let made = made(&cx, &table_name, &key);
        let planned = made.as_ref().and_then(|item| item.changes.first()?.ours());
        let planned = [Some(planned.unwrap_or_else(|| key.clone()))];
        let found = current(&cx, &table_name, std::slice::from_ref(&key), &planned).await?;
        let previous = found.into_iter().next().flatten();
        if let Some(previous) = previous.as_ref().filter(|_| made.is_none()) {
            let entry = cx.intend(&Items {
                table_name: table_name.clone(),
                changes: vec![Change::new(&key, Some(previous), None)],
                ignore_changes: Vec::new(),
            })?;
            match delete(&cx, &table_name, &key, Some(previous)).await {
                Ok(()) => entry.done(&())?,
                Err(error) => {
                    let is_overtaken = error.is(CHANGED) && error.outcome == Outcome::Refused;
                    let error = entry.error(error);
                    return Err(if is_overtaken { overtaken(&table_name, &key) } else { error });
                }
            }
        } else {
            match delete(&cx, &table_name, &key, previous.as_ref()).await {
                Err(error) if error.is(CHANGED) => return Err(overtaken(&table_name, &key)),
                deleted => deleted?,
            }
            cx.settle::<Items>(|items| is_that(items, &table_name, &key))?;
        }
        Ok(Output {
            table_name,
            deleted: previous.is_some(),
            item: previous.map(|item| plain(&item, input.typed)),
        })
    }
}

/// The entry of the item, if the run made it by itself.
fn made(cx: &Context, table_name: &str, key: &Item) -> Option<Items> {
    cx.made::<Items>().into_iter().find(|items| is_that(items, table_name, key))
}

fn is_that(items: &Items, table_name: &str, key: &Item) -> bool {
    items.table_name == table_name
        && matches!(items.changes.as_slice(), [change] if change.made() && change.is_about(key))
}

const CHANGED: &str = "ConditionalCheckFailedException";

/// Deletes an item, as long as it is still the one that was read.
async fn delete(
    cx: &Context,
    table_name: &str,
    key: &Item,
    read: Option<&Item>,
) -> Result<(), CallError> {
    let condition = Unchanged::of(key, read);
    let request = cx
        .aws
        .dynamodb()
        .delete_item()
        .table_name(table_name)
        .set_key(Some(key.clone()))
        .condition_expression(condition.expression)
        .set_expression_attribute_names(Some(condition.names))
        .set_expression_attribute_values(condition.values);
    match cx.aws.call(request.send(), || Ok(DeleteItemOutput::builder().build())).await {
        // The SDK repeats a call whose reply was lost; the repetition then finds nothing any more.
        Err(error) if error.is(CHANGED) && error.outcome == Outcome::Unknown => {
            match current(cx, table_name, std::slice::from_ref(key), &[]).await {
                Ok(found) if found.iter().flatten().next().is_none() => Ok(()),
                Ok(_) | Err(_) => Err(error),
            }
        }
        deleted => deleted.map(drop),
    }
}
