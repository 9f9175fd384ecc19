//! Items that the run put or deleted: what they were, what they became, and the way back.

pub(crate) mod attribute_value;
mod decimal;
pub(crate) mod page;
mod reading;
mod writing;

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use serde::{Deserialize, Serialize};

use super::table::{self, Table};
use attribute_value::{Item, Plain, Unfit, item, plain, same_items};
use engine::aws::CallError;
use engine::step::{Context, Disposition, Resource, StepError, Undone};
use reading::Pauses;
pub(crate) use reading::{current, key_names, key_of};
pub(crate) use writing::{delete, put, write};

/// Items of a table that the run put or deleted.
#[derive(Serialize, Deserialize)]
pub struct Items {
    pub(crate) table_name: String,
    pub(crate) changes: Vec<Change>,
    /// Attributes that others may change.
    pub(crate) ignore_changes: Vec<String>,
}

/// What became of one item, in DynamoDB's own notation.
#[derive(Serialize, Deserialize)]
pub(crate) struct Change {
    key: Plain,
    previous: Option<Plain>,
    ours: Option<Plain>,
}

impl Change {
    pub(crate) fn new(key: &Item, previous: Option<&Item>, ours: Option<&Item>) -> Self {
        let typed = |item: &Item| plain(item, true);
        Self { key: typed(key), previous: previous.map(typed), ours: ours.map(typed) }
    }

    /// Whether this is about the item of that key.
    pub(crate) fn is_about(&self, key: &Item) -> bool {
        item(&self.key, true).is_ok_and(|own| same_items(&own, key, &[]))
    }

    /// Whether the run made the item, and did not replace one.
    pub(crate) fn made(&self) -> bool {
        self.previous.is_none() && self.ours.is_some()
    }

    /// The item as the run left it.
    pub(crate) fn ours(&self) -> Option<Item> {
        self.ours.as_ref().and_then(|ours| item(ours, true).ok())
    }
}

/// Says of an item that it is still as it was read: an expression, its names and its values.
pub(crate) struct Unchanged {
    pub(crate) expression: String,
    pub(crate) names: HashMap<String, String>,
    /// Nothing where the expression has none.
    pub(crate) values: Option<Item>,
}

impl Unchanged {
    /// Since the item of that key was looked for.
    pub(crate) fn of(key: &Item, read: Option<&Item>) -> Self {
        match read {
            Some(read) => Self::since(read),
            None => Self {
                expression: "attribute_not_exists(#key)".to_owned(),
                names: key.keys().take(1).map(|name| ("#key".to_owned(), name.clone())).collect(),
                values: None,
            },
        }
    }

    /// And that it has no attribute that it is about to get. No expression speaks of attributes that it does not name.
    pub(crate) fn before(mut self, read: Option<&Item>, put: &Item) -> Self {
        let Some(read) = read else { return self };
        let mut added: Vec<_> = put.keys().filter(|name| !read.contains_key(*name)).collect();
        added.sort();
        added.truncate(100);
        for (at, name) in added.into_iter().enumerate() {
            self.names.insert(format!("#a{at}"), name.clone());
            self.expression = format!("{} AND attribute_not_exists(#a{at})", self.expression);
        }
        self
    }

    fn since(read: &Item) -> Self {
        let mut attributes: Vec<_> = read.iter().collect();
        attributes.sort_by_key(|(name, _)| *name);
        // An expression may have 4 KB.
        attributes.truncate(100);
        let (mut names, mut values) = (HashMap::new(), Item::new());
        let mut terms = Vec::new();
        for (at, (name, value)) in attributes.into_iter().enumerate() {
            names.insert(format!("#n{at}"), name.clone());
            values.insert(format!(":v{at}"), value.clone());
            terms.push(format!("#n{at} = :v{at}"));
        }
        Self { expression: terms.join(" AND "), names, values: Some(values) }
    }
}

impl Resource for Items {
    const TYPE: &'static str = "AWS::DynamoDB::Item";
    const UNDO: &'static [&'static str] = &[
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:DescribeTable",
        "dynamodb:ListTagsOfResource",
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
    ];
    const DISPOSITION: Disposition = Disposition::RemovedOrRestored;
    type Ids = ();

    fn label(&self) -> String {
        match self.changes.as_slice() {
            [change] => format!("{} of {}", shown(&change.key), self.table_name),
            changes => format!("{} items of {}", changes.len(), self.table_name),
        }
    }

    async fn undo(self, cx: Context, ids: Option<()>) -> Result<Undone, StepError> {
        let unreadable = |unfit: Unfit| unfit.of("the journal's item");
        let typed = |it: &Option<Plain>| it.as_ref().map(|it| item(it, true)).transpose();
        let (mut keys, mut previous, mut ours) = (Vec::new(), Vec::new(), Vec::new());
        for change in &self.changes {
            keys.push(item(&change.key, true).map_err(unreadable)?);
            previous.push(typed(&change.previous).map_err(unreadable)?);
            ours.push(typed(&change.ours).map_err(unreadable)?);
        }
        let now = match current(&cx, &self.table_name, &keys, &ours).await {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(Undone::AlreadyGone),
            now => now?,
        };
        let mut end = Ends::default();
        for (at, key) in keys.iter().enumerate() {
            let (now, previous, ours) =
                (now[at].as_ref(), previous[at].as_ref(), ours[at].as_ref());
            match self.standing(now, previous, ours) {
                // What is there is what the run wanted to write, and what somebody else may have written as well.
                Standing::Ours
                    if ids.is_none() && !is_proven(&cx, &self.table_name, ours).await? =>
                {
                    end.unproven.push(shown(&self.changes[at].key));
                }
                Standing::AsBefore => {}
                Standing::Foreign => end.foreign.push(shown(&self.changes[at].key)),
                Standing::Ours => match put_back(&cx, &self.table_name, key, now, previous).await {
                    Ok(()) if previous.is_some() => end.restored = true,
                    Ok(()) => end.deleted = true,
                    // A request that arrives twice finds what the first one has done.
                    Err(error) if error.is("ConditionalCheckFailedException") => {
                        let found = current(&cx, &self.table_name, &keys[at..=at], &[]).await?;
                        match self.standing(found[0].as_ref(), previous, ours) {
                            Standing::AsBefore if previous.is_some() => end.restored = true,
                            Standing::AsBefore => end.deleted = true,
                            _ => end.foreign.push(shown(&self.changes[at].key)),
                        }
                    }
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Ok(end.undone())
    }
}

/// How an item stands now.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    AsBefore,
    Ours,
    Foreign,
}

impl Items {
    fn standing(
        &self,
        now: Option<&Item>,
        previous: Option<&Item>,
        ours: Option<&Item>,
    ) -> Standing {
        let alike = |one: Option<&Item>, other: Option<&Item>, aside: &[String]| match (one, other)
        {
            (Some(one), Some(other)) => same_items(one, other, aside),
            (one, other) => one.is_none() && other.is_none(),
        };
        if alike(now, previous, &[]) {
            Standing::AsBefore
        } else if alike(now, ours, &self.ignore_changes) {
            Standing::Ours
        } else {
            Standing::Foreign
        }
    }
}

/// Whether nobody but this run can have written an item: it holds the run's id.
fn tells(cx: &Context, item: &Item) -> bool {
    serde_json::Value::Object(plain(item, true)).to_string().contains(cx.run.id.as_str())
}

/// Whether nobody but this run can have left an item so. A deletion leaves nothing to tell by, and is made up for.
async fn is_proven(cx: &Context, table_name: &str, ours: Option<&Item>) -> Result<bool, StepError> {
    match ours {
        Some(ours) if !tells(cx, ours) => is_own_table(cx, table_name).await,
        _ => Ok(true),
    }
}

/// Whether the run has made the table, and all that is in it goes with it.
async fn is_own_table(cx: &Context, table_name: &str) -> Result<bool, StepError> {
    if cx.made::<Table>().iter().any(|table| table.table_name == table_name) {
        return Ok(true);
    }
    Ok(table::is_ours(cx, table_name).await?)
}

/// What came of undoing several items.
#[derive(Default)]
struct Ends {
    deleted: bool,
    restored: bool,
    foreign: Vec<String>,
    unproven: Vec<String>,
}

impl Ends {
    fn undone(self) -> Undone {
        if !self.unproven.is_empty() {
            let reason = format!("nothing shows who has written {}", self.unproven.join(", "));
            return Undone::Unproven { reason };
        }
        if !self.foreign.is_empty() {
            let reason = format!("somebody has changed {} since", self.foreign.join(", "));
            return Undone::Changed { reason };
        }
        match (self.deleted, self.restored) {
            (true, _) => Undone::Deleted,
            (false, true) => Undone::Restored,
            (false, false) => Undone::AlreadyGone,
        }
    }
}

/// What to say where somebody else was quicker.
pub(crate) fn overtaken(table_name: &str, key: &Item) -> StepError {
    let key = shown(&plain(key, true));
    StepError::Failed {
        code: "ConditionalCheckFailedException".to_owned(),
        message: format!(
            "somebody has changed the item {key} of {table_name} since it was read; it was left as it is"
        ),
        help: Some("run it again, or choose another key".to_owned()),
        details: Vec::new(),
    }
}

/// A key in a few words, such as `UserEmail=ann@example.com`.
fn shown(key: &Plain) -> String {
    let value =
        |typed: &serde_json::Value| match typed.as_object().and_then(|it| it.values().next()) {
            Some(serde_json::Value::String(text)) => text.clone(),
            _ => typed.to_string(),
        };
    let parts: Vec<_> =
        key.iter().map(|(name, typed)| format!("{name}={}", value(typed))).collect();
    parts.join(",")
}

/// Puts the previous item back, or deletes the one that is there, as long as it is still the one that was just read.
async fn put_back(
    cx: &Context,
    table_name: &str,
    key: &Item,
    now: Option<&Item>,
    previous: Option<&Item>,
) -> Result<(), CallError> {
    let condition = Unchanged::of(key, now);
    if let Some(previous) = previous {
        let condition = condition.before(now, previous);
        let request = cx
            .aws
            .dynamodb()
            .put_item()
            .table_name(table_name)
            .set_item(Some(previous.clone()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values);
        cx.aws.call(request.send(), || Ok(PutItemOutput::builder().build())).await?;
    } else {
        let request = cx
            .aws
            .dynamodb()
            .delete_item()
            .table_name(table_name)
            .set_key(Some(key.clone()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values);
        cx.aws.call(request.send(), || Ok(DeleteItemOutput::builder().build())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "tests read better so")]
    fn of(value: serde_json::Value) -> Item {
        item(value.as_object().expect("a map"), false).expect("fit")
    }

    fn items(ignore: &[&str]) -> Items {
        let ignore_changes = ignore.iter().map(|&name| name.to_owned()).collect();
        Items { table_name: "people".to_owned(), changes: Vec::new(), ignore_changes }
    }

    #[test]
    fn an_item_is_ours_as_long_as_nobody_changed_it() {
        let (before, ours) = (of(json!({"k": 1, "n": "old"})), of(json!({"k": 1, "n": "new"})));
        let standing = |now: Option<&Item>| items(&[]).standing(now, Some(&before), Some(&ours));
        assert_eq!(standing(Some(&ours)), Standing::Ours);
        assert_eq!(standing(Some(&before)), Standing::AsBefore);
        assert_eq!(standing(Some(&of(json!({"k": 1, "n": "else"})))), Standing::Foreign);
        assert_eq!(standing(None), Standing::Foreign);
        assert_eq!(items(&[]).standing(None, None, Some(&ours)), Standing::AsBefore);
        assert_eq!(items(&[]).standing(None, Some(&before), None), Standing::Ours);
    }

    #[test]
    fn what_others_may_change_makes_an_item_no_less_ours() {
        let ours = of(json!({"k": 1}));
        let seen = of(json!({"k": 1, "LastLogin": {"Time": "today"}}));
        assert_eq!(items(&[]).standing(Some(&seen), None, Some(&ours)), Standing::Foreign);
        assert_eq!(items(&["LastLogin"]).standing(Some(&seen), None, Some(&ours)), Standing::Ours);
    }

    #[test]
    fn the_condition_names_every_attribute_that_was_read() {
        let condition = Unchanged::since(&of(json!({"b": 2, "a": "x"})));
        assert_eq!(condition.expression, "#n0 = :v0 AND #n1 = :v1");
        assert_eq!(condition.names["#n0"], "a");
        let values = condition.values.expect("values");
        assert_eq!(values[":v1"], AttributeValue::N("2".to_owned()));
    }

    #[test]
    fn the_condition_names_every_attribute_that_is_new() {
        let (key, put) = (of(json!({"k": 1})), of(json!({"k": 1, "z": 0, "b": 2})));
        let condition = Unchanged::of(&key, Some(&key)).before(Some(&key), &put);
        assert_eq!(
            condition.expression,
            "#n0 = :v0 AND attribute_not_exists(#a0) AND attribute_not_exists(#a1)"
        );
        assert_eq!((&*condition.names["#a0"], &*condition.names["#a1"]), ("b", "z"));
        let of_none = Unchanged::of(&key, None).before(None, &put);
        assert_eq!(of_none.expression, "attribute_not_exists(#key)");
    }

    #[test]
    fn items_are_known_by_their_keys() {
        let key = of(json!({"mail": "ann@example.com", "year": 7}));
        let change = Change::new(&key, None, Some(&key));
        assert!(change.is_about(&key) && change.made());
        let one = Items { changes: vec![change], ..items(&[]) };
        assert_eq!(one.label(), "mail=ann@example.com,year=7 of people");
    }

    #[test]
    fn several_ends_are_told_as_one() {
        let end = |deleted, restored, foreign: &[&str]| {
            let foreign = foreign.iter().map(|&key| key.to_owned()).collect();
            Ends { deleted, restored, foreign, unproven: Vec::new() }.undone()
        };
        assert_eq!(end(true, true, &[]), Undone::Deleted);
        assert_eq!(end(false, true, &[]), Undone::Restored);
        assert_eq!(end(false, false, &[]), Undone::AlreadyGone);
        assert!(
            matches!(end(true, false, &["a=1"]), Undone::Changed { reason } if reason.contains("a=1"))
        );
    }
}
