//! What other runs that are not finished have written: none of it is what was there before.
//!
//! Whatever puts a value back keeps it in the field `previous` of what undoing takes, and beside it whatever it wrote itself
//! and whatever says where; what changes single members of something keeps them by name in the field `changes`. That much is
//! known here of all types alike, and no more.

use std::path::Path;

use serde_json::{Map, Value};

use super::entry::{Entry, JournalState, Target};
use super::file::JournalFile;
use super::folder;

/// The field that holds what was written, member by member.
const CHANGES: &str = "changes";

/// The field that holds what was there before.
const PREVIOUS: &str = "previous";

/// Puts the value from before all runs in the place of what another unfinished run has written. Returns the run whose value
/// was found but cannot be told from what was there before, if there is one.
pub(super) fn look_behind(
    directory: &Path,
    run: &str,
    target: &Target,
    (kind, name): (&str, &str),
    undo: &mut Value,
) -> Option<String> {
    if !holds_previous(undo) {
        return None;
    }
    let mut unclear = None;
    let others = folder::unfinished(directory).unwrap_or_default();
    for other in others.into_iter().filter(|other| other != run) {
        let Ok((state, _)) = JournalFile::peek(directory, &other) else { continue };
        if !is_same_account(&state, target) {
            continue;
        }
        let same = |entry: &&Entry| entry.kind == kind && entry.name == name;
        for entry in state.pending().filter(same) {
            if !replace(undo, &entry.undo) {
                unclear = Some(other.clone());
            }
        }
    }
    unclear
}

fn is_same_account(state: &JournalState, target: &Target) -> bool {
    state.opened.as_ref().is_some_and(|opened| opened.target == *target)
}

fn holds_previous(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key(PREVIOUS) || fields.values().any(holds_previous)
        }
        Value::Array(items) => items.iter().any(holds_previous),
        _ => false,
    }
}

/// Replaces what `theirs` has written, wherever `ours` takes it for what was there before. Returns whether all of that is
/// known.
fn replace(ours: &mut Value, theirs: &Value) -> bool {
    match ours {
        Value::Object(fields) if fields.contains_key(PREVIOUS) => {
            let mut found = Vec::new();
            changes(theirs, &mut found);
            found.into_iter().all(|theirs| replace_change(fields, theirs))
        }
        Value::Object(fields) => fields.values_mut().all(|field| replace(field, theirs)),
        Value::Array(items) => items.iter_mut().all(|item| replace(item, theirs)),
        _ => true,
    }
}

/// Every object in a value that holds what was there before.
fn changes<'v>(value: &'v Value, found: &mut Vec<&'v Map<String, Value>>) {
    match value {
        Value::Object(fields) if fields.contains_key(PREVIOUS) => found.push(fields),
        Value::Object(fields) => fields.values().for_each(|field| changes(field, found)),
        Value::Array(items) => items.iter().for_each(|item| changes(item, found)),
        _ => {}
    }
}

fn replace_change(ours: &mut Map<String, Value>, theirs: &Map<String, Value>) -> bool {
    let Some(previous) = ours.get(PREVIOUS).cloned() else { return true };
    let original = theirs.get(PREVIOUS).cloned().unwrap_or_default();
    let others: Vec<(&String, &Value)> =
        theirs.iter().filter(|(name, _)| *name != PREVIOUS).collect();
    // What both say alike says where it is; the rest is what each has written, and so is what was found, though both write it.
    let (place, written): (Vec<_>, Vec<_>) = others.into_iter().partition(|(name, value)| {
        ours.get(*name) == Some(value) && *name != CHANGES && **value != previous
    });
    if place.is_empty() {
        // Something else in the same table, say.
        return true;
    }
    if previous == original || written.is_empty() {
        return true;
    }
    if written.iter().any(|(_, value)| **value == previous) {
        ours.insert(PREVIOUS.to_owned(), original);
        return true;
    }
    if let (Some(Value::Object(changes)), Value::Object(original)) =
        (theirs.get(CHANGES), &original)
        && let Some(Value::Object(previous)) = ours.get_mut(PREVIOUS)
    {
        replace_members(previous, changes, original);
        return true;
    }
    // Another value of the same form: somebody else has written it since. Of another form: there is no telling.
    written.iter().any(|(_, value)| {
        std::mem::discriminant(*value) == std::mem::discriminant(&previous) || value.is_null()
    })
}

/// Takes back the members that another run has written.
fn replace_members(
    previous: &mut Map<String, Value>,
    changes: &Map<String, Value>,
    original: &Map<String, Value>,
) {
    for (name, written) in changes {
        let is_theirs = match previous.get(name) {
            Some(value) => value == written,
            None => written.is_null(),
        };
        match original.get(name) {
            Some(value) if is_theirs => {
                previous.insert(name.clone(), value.clone());
            }
            None if is_theirs => {
                previous.shift_remove(name);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(key: &str, previous: Value, ours: Value) -> Value {
        json!({"table": "orders", "changes": [{"key": key, "previous": previous, "ours": ours}]})
    }

    fn seen(mut ours: Value, theirs: &Value) -> (Value, bool) {
        let known = replace(&mut ours, theirs);
        (ours, known)
    }

    #[test]
    fn what_another_run_wrote_was_not_there_before() {
        let theirs = item("7", json!({"n": 0}), json!({"n": 1}));
        let ours = item("7", json!({"n": 1}), json!({"n": 2}));
        assert_eq!(seen(ours, &theirs), (item("7", json!({"n": 0}), json!({"n": 2})), true));
        let created = item("7", Value::Null, json!({"n": 1}));
        let ours = item("7", json!({"n": 1}), json!({"n": 2}));
        assert_eq!(seen(ours, &created), (item("7", Value::Null, json!({"n": 2})), true));
    }

    #[test]
    fn what_both_write_was_not_there_before_either() {
        let theirs = item("7", Value::Null, json!({"n": 1}));
        let ours = item("7", json!({"n": 1}), json!({"n": 1}));
        assert_eq!(seen(ours, &theirs), (theirs.clone(), true));
        let pool =
            |previous: Value| json!({"pool": "p", "changes": {"a": 1}, "previous": previous});
        let theirs = pool(json!({"a": 0, "b": 2}));
        assert_eq!(seen(pool(json!({"a": 1, "b": 2})), &theirs), (theirs.clone(), true));
    }

    #[test]
    fn what_nobody_in_between_wrote_stays() {
        let theirs = item("7", json!({"n": 0}), json!({"n": 1}));
        for ours in [
            item("8", json!({"n": 1}), json!({"n": 2})),
            item("7", json!({"n": 5}), json!({"n": 2})),
            item("7", json!({"n": 0}), json!({"n": 2})),
        ] {
            assert_eq!(seen(ours.clone(), &theirs), (ours, true));
        }
    }

    #[test]
    fn a_document_is_known_by_what_it_belongs_to() {
        let policy = |document: &str, previous: Value| json!({"role": "r", "policy": "p", "document": {"v": document}, "previous": previous});
        let theirs = policy("one", json!({"v": "zero"}));
        let ours = policy("two", json!({"v": "one"}));
        assert_eq!(seen(ours, &theirs), (policy("two", json!({"v": "zero"})), true));
    }

    #[test]
    fn members_are_told_apart() {
        let pool = |changes: Value, previous: Value| json!({"pool": "p", "changes": changes, "previous": previous});
        let theirs = pool(json!({"a": 1, "b": null}), json!({"b": 2, "c": 3}));
        let ours = pool(json!({"a": 9}), json!({"a": 1, "c": 3}));
        let expected = pool(json!({"a": 9}), json!({"c": 3, "b": 2}));
        assert_eq!(seen(ours, &theirs), (expected, true));
    }

    #[test]
    fn a_digest_tells_nothing() {
        let settings = |digest: &str, timeout: u32| json!({"function": "f", "changed_to": digest, "previous": {"timeout": timeout}});
        let (_, known) = seen(settings("b", 5), &settings("a", 3));
        assert!(!known);
    }
}
