//! `scan`: the items of a DynamoDB table.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::scan::ScanOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::put_item::attribute_value::{Item, Plain, item, plain};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `scan`.
pub struct Scan;

/// Reads the items of a DynamoDB table, all pages of them, or those that a filter lets through.
///
/// What comes back is plain data, as `put-item` takes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The table's name.
    table_name: String,
    /// The name of an index, to read that instead.
    index_name: Option<String>,
    /// Which items, such as `UserName = :name`.
    filter_expression: Option<String>,
    /// What `#names` in the expression stand for.
    expression_attribute_names: Option<HashMap<String, String>>,
    /// What `:values` in the expression stand for.
    expression_attribute_values: Option<Plain>,
    /// How many items at most.
    #[schemars(range(min = 1))]
    limit: Option<usize>,
    /// Whether values are written, and items returned, in DynamoDB's own notation.
    #[serde(default)]
    typed: bool,
    /// Whether to see every write that came before; not on a global index.
    #[serde(default)]
    consistent_read: bool,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The items.
    items: Vec<Plain>,
    /// How many they are.
    count: usize,
    /// How many items were read to find them.
    scanned_count: i64,
}

impl Output {
    pub(super) fn of(found: &Found, typed: bool) -> Self {
        Self {
            items: found.items.iter().map(|item| plain(item, typed)).collect(),
            count: found.items.len(),
            scanned_count: found.scanned_count,
        }
    }
}

/// What pages have brought so far.
#[derive(Default)]
pub(super) struct Found {
    items: Vec<Item>,
    scanned_count: i64,
}

impl Found {
    /// Adds a page; where the next one begins, if it is wanted and there is one.
    pub(super) fn add(
        &mut self,
        items: Option<Vec<Item>>,
        scanned_count: i32,
        next: Option<Item>,
        limit: Option<usize>,
    ) -> Option<Item> {
        self.items.extend(items.unwrap_or_default());
        self.scanned_count += i64::from(scanned_count);
        let limit = limit.unwrap_or(usize::MAX);
        self.items.truncate(limit);
        next.filter(|key| !key.is_empty() && self.items.len() < limit)
    }
}

/// What `:values` stand for, as the SDK wants them; none at all where there are none.
pub(super) fn values(given: Option<&Plain>, typed: bool) -> Result<Option<Item>, StepError> {
    given
        .filter(|given| !given.is_empty())
        .map(|given| item(given, typed))
        .transpose()
        .map_err(|unfit| unfit.of("expression_attribute_values"))
}

impl StepKind for Scan {
    const NAME: &'static str = "scan";
    const CALLS: &'static [&'static str] = &["dynamodb:Scan"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: known
  scan:
    table_name: \"{{ steps.stack.outputs.TableName }}\"
    filter_expression: UserName = :name
    expression_attribute_values: {\":name\": test_user_1}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let values = values(input.expression_attribute_values.as_ref(), input.typed)?;
        let (mut found, mut start) = (Found::default(), None);
        loop {
            let request = cx
                .aws
                .dynamodb()
                .scan()
                .table_name(&input.table_name)
                .set_index_name(input.index_name.clone())
                .set_filter_expression(input.filter_expression.clone())
                .set_expression_attribute_names(input.expression_attribute_names.clone())
                .set_expression_attribute_values(values.clone())
                .consistent_read(input.consistent_read)
                .set_exclusive_start_key(start);
            let page = cx.aws.call(request.send(), || Ok(ScanOutput::builder().build())).await?;
            let scanned = page.scanned_count;
            start = found.add(page.items, scanned, page.last_evaluated_key, input.limit);
            if start.is_none() {
                return Ok(Output::of(&found, input.typed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;

    fn one(name: &str) -> Item {
        Item::from([("name".to_owned(), AttributeValue::S(name.to_owned()))])
    }

    #[test]
    fn pages_are_read_until_there_are_no_more_or_enough() {
        let mut found = Found::default();
        // A page without items is not the last one: a filter may have let none through.
        assert!(found.add(None, 10, Some(one("a")), Some(3)).is_some());
        assert!(found.add(Some(vec![one("b"), one("c")]), 10, Some(one("c")), Some(3)).is_some());
        assert!(found.add(Some(vec![one("d"), one("e")]), 10, Some(one("e")), Some(3)).is_none());
        let output = Output::of(&found, false);
        assert_eq!((output.count, output.scanned_count), (3, 30));
        assert_eq!(output.items[2]["name"], "d");
        assert!(Found::default().add(Some(vec![one("a")]), 1, None, None).is_none());
        assert!(Found::default().add(None, 1, Some(Item::new()), None).is_none());
    }

    #[test]
    fn no_values_are_not_sent() {
        assert_eq!(values(None, false).expect("fit"), None);
        assert_eq!(values(Some(&Plain::new()), false).expect("fit"), None);
    }
}
