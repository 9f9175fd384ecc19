//! Items as they are now, and the keys that they are known by.

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TableDescription};

use super::attribute_value::{Item, same};
use crate::resources::table::Table;
use engine::step::context::Backoff;
use engine::step::{Context, StepError};

/// The names of a table's key attributes: the partition key's, then the sort key's. A dry run knows those of tables that
/// the run makes.
pub(crate) async fn key_names(cx: &Context, table_name: &str) -> Result<Vec<String>, StepError> {
    let mut made = cx.made::<Table>().into_iter();
    if let Some(table) = made.find(|table| table.table_name == table_name) {
        return Ok(table.key);
    }
    let request = cx.aws.dynamodb().describe_table().table_name(table_name);
    let placeholder = || Ok(DescribeTableOutput::builder().build());
    let table = cx.aws.call(request.send(), placeholder).await?.table;
    let schema = table.as_ref().map(TableDescription::key_schema).unwrap_or_default();
    let names: Vec<_> = schema.iter().map(|key| key.attribute_name().to_owned()).collect();
    if names.is_empty() {
        return Ok(vec![unknown_key(table_name)]);
    }
    Ok(names)
}

/// What stands for the name of a key that only the table knows, which a dry run does not look at.
fn unknown_key(table_name: &str) -> String {
    engine::step::marker(&format!("key of {table_name}"))
}

/// The key of an item that is to be put.
pub(crate) fn key_of(cx: &Context, names: &[String], item: &Item) -> Result<Item, StepError> {
    names
        .iter()
        .map(|name| match item.get(name) {
            Some(value) => Ok((name.clone(), value.clone())),
            None if cx.is_unknown(name) => {
                Ok((name.clone(), AttributeValue::S(engine::step::marker("its value"))))
            }
            None => Err(StepError::input(
                "item",
                format!("the item has no `{name}`, which is part of the table's key"),
                format!("give the item a `{name}`"),
            )),
        })
        .collect()
}

/// The items of those keys as they are now, in the same order. A dry run sees those that are `planned`.
pub(crate) async fn current(
    cx: &Context,
    table_name: &str,
    keys: &[Item],
    planned: &[Option<Item>],
) -> Result<Vec<Option<Item>>, StepError> {
    match keys {
        [key] => {
            let request = cx
                .aws
                .dynamodb()
                .get_item()
                .table_name(table_name)
                .set_key(Some(key.clone()))
                .consistent_read(true);
            let planned = planned.first().cloned().flatten();
            let placeholder = || Ok(GetItemOutput::builder().set_item(planned).build());
            Ok(vec![cx.aws.call(request.send(), placeholder).await?.item])
        }
        keys => {
            let found = current_of_many(cx, table_name, keys, planned).await?;
            let unknown = unknown_key(table_name);
            if keys.iter().any(|key| key.contains_key(&unknown)) {
                return Ok((0..keys.len()).map(|at| planned.get(at).cloned().flatten()).collect());
            }
            let of = |key: &Item| found.iter().find(|item| has_key(item, key)).cloned();
            Ok(keys.iter().map(of).collect())
        }
    }
}

fn has_key(item: &Item, key: &Item) -> bool {
    key.iter().all(|(name, value)| item.get(name).is_some_and(|other| same(other, value)))
}

async fn current_of_many(
    cx: &Context,
    table_name: &str,
    keys: &[Item],
    planned: &[Option<Item>],
) -> Result<Vec<Item>, StepError> {
    let mut found = Vec::new();
    let mut left = Some(
        KeysAndAttributes::builder()
            .set_keys(Some(keys.to_vec()))
            .consistent_read(true)
            .build()
            .map_err(|error| StepError::failed("InvalidInput", error.to_string()))?,
    );
    let mut pauses = Pauses::new("reading items");
    while let Some(wanted) = left {
        let request = cx.aws.dynamodb().batch_get_item().request_items(table_name, wanted);
        let placeholder = || {
            let items = planned.iter().flatten().cloned().collect();
            Ok(BatchGetItemOutput::builder().responses(table_name, items).build())
        };
        let page = cx.aws.call(request.send(), placeholder).await?;
        found.extend(page.responses.unwrap_or_default().into_values().flatten());
        // What exceeds 16 MB, or the table's throughput, is left for another request.
        left = page.unprocessed_keys.unwrap_or_default().into_values().next();
        if left.is_some() {
            pauses.next(cx).await?;
        }
    }
    Ok(found)
}

/// Growing pauses between requests for what DynamoDB has not done yet.
pub(crate) struct Pauses {
    what: &'static str,
    backoff: Backoff,
    pause: std::time::Duration,
    waited: std::time::Duration,
}

impl Pauses {
    pub(crate) fn new(what: &'static str) -> Self {
        let backoff = Backoff::seconds(60);
        Self { what, backoff, pause: backoff.first, waited: std::time::Duration::ZERO }
    }

    pub(crate) async fn next(&mut self, cx: &Context) -> Result<(), StepError> {
        if self.waited > self.backoff.limit {
            let limit = self.backoff.limit;
            return Err(StepError::TimedOut { what: self.what.to_owned(), limit });
        }
        cx.sleep(self.pause).await?;
        self.waited += self.pause;
        self.pause = (self.pause * 2).min(self.backoff.longest);
        Ok(())
    }
}
