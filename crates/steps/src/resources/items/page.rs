//! What a read of many items finds, page by page.

use schemars::JsonSchema;
use serde::Serialize;

use super::attribute_value::{Item, Plain, item, plain};
use engine::step::StepError;

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
    pub(crate) fn of(found: &Found, typed: bool) -> Self {
        Self {
            items: found.items.iter().map(|item| plain(item, typed)).collect(),
            count: found.items.len(),
            scanned_count: found.scanned_count,
        }
    }
}

/// What pages have brought so far.
#[derive(Default)]
pub(crate) struct Found {
    items: Vec<Item>,
    scanned_count: i64,
}

impl Found {
    /// Adds a page; where the next one begins, if it is wanted and there is one.
    pub(crate) fn add(
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
pub(crate) fn values(given: Option<&Plain>, typed: bool) -> Result<Option<Item>, StepError> {
    given
        .filter(|given| !given.is_empty())
        .map(|given| item(given, typed))
        .transpose()
        .map_err(|unfit| unfit.of("expression_attribute_values"))
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
