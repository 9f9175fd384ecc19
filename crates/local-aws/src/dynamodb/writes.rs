//! `PutItem`, `UpdateItem`, `DeleteItem`, and the same as parts of transactions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::capacity::{self, Capacity};
use super::error::{VALIDATION, at_the_front, condition_failed, invalid_values, validation};
use super::expression::{
    Condition, Path, Placeholders, Update, parse_condition, parse_update, project,
};
use super::keys::Key;
use super::legacy::{self, Expected, LegacyUpdate};
use super::table::Table;
use super::value::{Item, item_size, read_item, write_item};
use super::{Context, State};
use crate::account::feed::ChangeEvent;
use crate::protocol::{AwsError, Constraints};

const LARGEST_ITEM: usize = 400 * 1024;

/// What a write is asked for, whichever it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WriteRequest {
    pub(super) table_name: Option<String>,
    item: Option<Map<String, Value>>,
    key: Option<Map<String, Value>>,
    update_expression: Option<String>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Map<String, Value>>,
    return_values: Option<String>,
    return_values_on_condition_check_failure: Option<String>,
    return_consumed_capacity: Option<String>,
    attribute_updates: Option<BTreeMap<String, LegacyUpdate>>,
    expected: Option<BTreeMap<String, Expected>>,
    conditional_operator: Option<String>,
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Put,
    Update,
    Delete,
    /// Nothing but its condition, in a transaction.
    Check,
}

/// A write whose expressions have been parsed.
#[derive(Debug)]
pub(super) struct Write<'r> {
    request: &'r WriteRequest,
    kind: Kind,
    given: Item,
    update: Update,
    condition: Option<Condition>,
}

/// What a write makes of an item.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) key: Key,
    pub(super) old: Option<Item>,
    pub(super) new: Option<Item>,
}

impl WriteRequest {
    /// Parses everything that does not depend on the table.
    pub(super) fn parse(&self, kind: Kind) -> Result<Write<'_>, AwsError> {
        legacy::check_not_both(
            &[
                ("AttributeUpdates", self.attribute_updates.is_some()),
                ("Expected", self.expected.is_some()),
                ("ConditionalOperator", self.conditional_operator.is_some()),
            ],
            &[
                ("UpdateExpression", self.update_expression.is_some()),
                ("ConditionExpression", self.condition_expression.is_some()),
            ],
        )?;
        let (member, given) = match kind {
            Kind::Put => ("item", &self.item),
            Kind::Update | Kind::Delete | Kind::Check => ("key", &self.key),
        };
        Constraints::new()
            .present("tableName", self.table_name.is_some())
            .present(member, given.is_some())
            .present(
                "conditionExpression",
                kind != Kind::Check || self.condition_expression.is_some(),
            )
            .check(VALIDATION)?;
        let placeholders = Placeholders::read(
            self.expression_attribute_names.as_ref(),
            self.expression_attribute_values.as_ref(),
            self.condition_expression.is_some() || self.update_expression.is_some(),
        )?;
        let update = self.update_expression.as_deref().filter(|_| kind == Kind::Update);
        let update = update.map(|expression| parse_update(expression, &placeholders));
        let condition = self
            .condition_expression
            .as_deref()
            .map(|expression| parse_condition("ConditionExpression", expression, &placeholders));
        let (mut update, mut condition) =
            (update.transpose()?.unwrap_or_default(), condition.transpose()?);
        placeholders.check_used()?;
        if let Some(updates) = self.attribute_updates.as_ref().filter(|_| kind == Kind::Update) {
            update = legacy::update(updates)?;
        }
        if let Some(expected) = &self.expected {
            condition = legacy::expected(expected, self.conditional_operator.as_deref())?;
        }
        Ok(Write {
            request: self,
            kind,
            given: read_item(given.as_ref().unwrap_or(&Map::new()))?,
            update,
            condition,
        })
    }
}

impl Write<'_> {
    /// The key of the item that it is about.
    pub(super) fn key(&self, table: &Table) -> Result<Key, AwsError> {
        match self.kind {
            Kind::Put => table.key.of_item(&self.given),
            Kind::Update | Kind::Delete | Kind::Check => table.key.of_key(&self.given),
        }
    }

    /// What becomes of the item, where the condition holds.
    pub(super) fn outcome(&self, table: &Table) -> Result<Outcome, AwsError> {
        let key = self.key(table)?;
        let touched = |path: &&Path| table.key.contains(&path.name);
        let mut paths = self.update.actions.iter().map(super::expression::Action::path);
        if let Some(path) = paths.find(touched) {
            return Err(invalid_values(&format!(
                "Cannot update attribute {}. This attribute is part of the key",
                path.name
            )));
        }
        let old = table.items.get(&key).cloned();
        let current = old.clone().unwrap_or_default();
        if self.condition.as_ref().is_some_and(|condition| !condition.holds(&current)) {
            return Err(self.refused(old.as_ref()));
        }
        let new = match self.kind {
            Kind::Put => Some(self.given.clone()),
            Kind::Update => {
                let base = old.clone().unwrap_or_else(|| self.given.clone());
                Some(self.update.apply(&base)?)
            }
            Kind::Delete => None,
            Kind::Check => old.clone(),
        };
        if let Some(new) = &new {
            if item_size(new) > LARGEST_ITEM {
                return Err(validation(match self.kind {
                    Kind::Update => "Item size to update has exceeded the maximum allowed size",
                    _ => "Item size has exceeded the maximum allowed size",
                }));
            }
            table.check_index_keys(new, self.kind == Kind::Update)?;
        }
        Ok(Outcome { key, old, new })
    }

    fn refused(&self, old: Option<&Item>) -> AwsError {
        let wanted = self.request.return_values_on_condition_check_failure.as_deref();
        match (wanted, old) {
            (Some("ALL_OLD"), Some(old)) => condition_failed().with("Item", write_item(old)),
            _ => condition_failed(),
        }
    }

    fn attributes(&self, outcome: &Outcome) -> Result<Option<Item>, AwsError> {
        let wanted = self.request.return_values.as_deref().unwrap_or("NONE");
        let changed = |item: &Option<Item>| {
            let actions = self.update.actions.iter();
            let paths: Vec<Path> = actions.map(|action| action.path().clone()).collect();
            item.as_ref().map(|item| project(item, &paths))
        };
        let shown = match (wanted, self.kind) {
            ("NONE", _) => None,
            ("ALL_OLD", _) => outcome.old.clone(),
            ("ALL_NEW", Kind::Update) => outcome.new.clone(),
            ("UPDATED_OLD", Kind::Update) => changed(&outcome.old),
            ("UPDATED_NEW", Kind::Update) => changed(&outcome.new),
            ("ALL_NEW" | "UPDATED_OLD" | "UPDATED_NEW", _) => {
                return Err(validation("ReturnValues can only be ALL_OLD or NONE"));
            }
            (other, _) => {
                let allowed = ["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"];
                Constraints::new().one_of("returnValues", other, &allowed).check(VALIDATION)?;
                None
            }
        };
        Ok(shown.filter(|shown| !shown.is_empty()))
    }
}

impl State {
    /// Carries a write out, and notes it.
    pub(super) fn commit(&mut self, name: String, outcome: Outcome) {
        let Some(table) = self.tables.get_mut(&name) else { return };
        let Outcome { key, old, new } = outcome;
        if let Some(item) = old.as_ref().or(new.as_ref()) {
            self.outbox.push(ChangeEvent::ItemWritten {
                table: name,
                key: write_item(&table.key.cut(item)),
                old: old.as_ref().map(write_item),
                new: new.as_ref().map(write_item),
            });
        }
        match new {
            Some(item) => table.items.insert(key, item),
            None => table.items.remove(&key),
        };
    }

    /// `PutItem`, `UpdateItem` or `DeleteItem`
    pub(super) fn write(
        &mut self,
        request: &WriteRequest,
        kind: Kind,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let write = request.parse(kind).map_err(at_the_front)?;
        let capacity = Capacity::read(request.return_consumed_capacity.as_deref())?;
        let (name, table) = self.active(request.table_name.as_deref(), context)?;
        let outcome = write.outcome(table)?;
        let mut shown = json!({});
        if let Some(attributes) = write.attributes(&outcome)? {
            shown["Attributes"] = write_item(&attributes);
        }
        if let Some(consumed) = capacity.consumed(&name, capacity::of_write(&outcome)) {
            shown["ConsumedCapacity"] = consumed;
        }
        self.commit(name, outcome);
        Ok(shown)
    }
}
