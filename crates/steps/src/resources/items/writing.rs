//! Puts and deletes items: the journal first, a condition against whoever is quicker, and a look where that condition failed.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};

use super::attribute_value::{Item, plain, same_items};
use super::{
    Change, Items, Pauses, Unchanged, current, is_proven, key_names, key_of, overtaken, shown,
};
use engine::aws::CallError;
use engine::step::{Context, StepError};

/// What DynamoDB takes in one request.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
const MOST: usize = 25;

/// How DynamoDB refuses where a condition does not hold. A request may arrive twice, and the second time it finds what the
/// first has done: that is looked at before anything is made of it.
const CHANGED: &str = "ConditionalCheckFailedException";

/// The item of that key as it is now.
async fn one(
    cx: &Context,
    table_name: &str,
    key: &Item,
    planned: &[Option<Item>],
) -> Result<Option<Item>, StepError> {
    let found = current(cx, table_name, std::slice::from_ref(key), planned).await?;
    Ok(found.into_iter().next().flatten())
}

/// Puts an item; the one that was there before.
pub(crate) async fn put(
    cx: &Context,
    table_name: &str,
    put: Item,
    ignore_changes: Vec<String>,
) -> Result<Option<Item>, StepError> {
    let names = key_names(cx, table_name).await?;
    let key = key_of(cx, &names, &put)?;
    let previous = one(cx, table_name, &key, &[]).await?;
    let made = Items {
        table_name: table_name.to_owned(),
        changes: vec![Change::new(&key, previous.as_ref(), Some(&put))],
        ignore_changes,
    };
    let entry = cx.intend(&made)?;
    let condition = Unchanged::of(&key, previous.as_ref()).before(previous.as_ref(), &put);
    let request = cx
        .aws
        .dynamodb()
        .put_item()
        .table_name(table_name)
        .set_item(Some(put.clone()))
        .condition_expression(condition.expression)
        .set_expression_attribute_names(Some(condition.names))
        .set_expression_attribute_values(condition.values);
    match cx.aws.call(request.send(), || Ok(PutItemOutput::builder().build())).await {
        Ok(_) => {}
        Err(error) if error.is(CHANGED) => match one(cx, table_name, &key, &[]).await {
            Ok(Some(found)) if same_items(&found, &put, &made.ignore_changes) => {
                if !is_proven(cx, table_name, Some(&put)).await.unwrap_or_default() {
                    entry.unsure(error);
                    return Err(overtaken(table_name, &key));
                }
            }
            Ok(_) => {
                entry.error(error);
                return Err(overtaken(table_name, &key));
            }
            Err(unseen) => return Err(entry.unsure(unseen)),
        },
        Err(error) => return Err(entry.error(error)),
    }
    entry.done(&())?;
    Ok(previous)
}

/// Deletes an item; the one that was there, if any.
pub(crate) async fn delete(
    cx: &Context,
    table_name: &str,
    key: &Item,
) -> Result<Option<Item>, StepError> {
    let is_that = |items: &Items| {
        items.table_name == table_name
            && matches!(items.changes.as_slice(), [change] if change.made() && change.is_about(key))
    };
    // The entry of the item, if the run made it by itself.
    let made = cx.made::<Items>().into_iter().find(is_that);
    let planned = made.as_ref().and_then(|item| item.changes.first()?.ours());
    let planned = [Some(planned.unwrap_or_else(|| key.clone()))];
    let previous = one(cx, table_name, key, &planned).await?;
    if made.is_some() || previous.is_none() {
        match delete_unchanged(cx, table_name, key, previous.as_ref()).await {
            Err(error) if error.is(CHANGED) => match one(cx, table_name, key, &[]).await? {
                None => {}
                Some(_) => return Err(overtaken(table_name, key)),
            },
            deleted => deleted?,
        }
        cx.settle::<Items>(is_that)?;
        return Ok(previous);
    }
    let entry = cx.intend(&Items {
        table_name: table_name.to_owned(),
        changes: vec![Change::new(key, previous.as_ref(), None)],
        ignore_changes: Vec::new(),
    })?;
    match delete_unchanged(cx, table_name, key, previous.as_ref()).await {
        Ok(()) => {}
        Err(error) if error.is(CHANGED) => match one(cx, table_name, key, &[]).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                entry.error(error);
                return Err(overtaken(table_name, key));
            }
            Err(unseen) => return Err(entry.unsure(unseen)),
        },
        Err(error) => return Err(entry.error(error)),
    }
    entry.done(&())?;
    Ok(previous)
}

/// Deletes an item, as long as it is still the one that was read.
async fn delete_unchanged(
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
    cx.aws.call(request.send(), || Ok(DeleteItemOutput::builder().build())).await.map(drop)
}

/// Puts many items, no two of which have the same key.
pub(crate) async fn write(
    cx: &Context,
    table_name: &str,
    items: &[Item],
    ignore_changes: &[String],
) -> Result<(), StepError> {
    if items.is_empty() {
        return Ok(());
    }
    let names = key_names(cx, table_name).await?;
    let keys = items.iter().map(|item| key_of(cx, &names, item)).collect::<Result<Vec<_>, _>>()?;
    if !names.iter().any(|name| cx.is_unknown(name)) {
        check_different(&keys)?;
    }
    for (keys, items) in keys.chunks(MOST).zip(items.chunks(MOST)) {
        write_some(cx, table_name, keys, items, ignore_changes).await?;
    }
    Ok(())
}

/// The later of two items with the same key would replace the earlier, which DynamoDB refuses within one request alone.
fn check_different(keys: &[Item]) -> Result<(), StepError> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (at, key) in keys.iter().enumerate() {
        let identity = shown(&plain(key, true));
        if let Some(first) = seen.insert(identity.clone(), at) {
            return Err(StepError::Input {
                field: vec!["items".to_owned(), at.to_string()],
                message: format!("items {first} and {at} have the same key, {identity}"),
                help: Some("give each item a key of its own".to_owned()),
            });
        }
    }
    Ok(())
}

/// Writes as many items as one request takes.
async fn write_some(
    cx: &Context,
    table_name: &str,
    keys: &[Item],
    items: &[Item],
    ignore_changes: &[String],
) -> Result<(), StepError> {
    let previous = current(cx, table_name, keys, &[]).await?;
    let changes = keys
        .iter()
        .zip(&previous)
        .zip(items)
        .map(|((key, previous), item)| Change::new(key, previous.as_ref(), Some(item)));
    let entry = cx.intend(&Items {
        table_name: table_name.to_owned(),
        changes: changes.collect(),
        ignore_changes: ignore_changes.to_vec(),
    })?;
    let mut pauses = Pauses::new("writing items");
    let mut left = requests(items)?;
    let mut written = false;
    while !left.is_empty() {
        let request = cx.aws.dynamodb().batch_write_item().request_items(table_name, left);
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
