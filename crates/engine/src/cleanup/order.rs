//! In which order entries are undone.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::texts;
use crate::journal::Entry;
use crate::step::Seq;

/// What is shorter than a name says nothing.
const SHORTEST: usize = 3;

/// In which order entries are undone: the latest first, and none before what was created from it and before later ones
/// that have anything to do with it, as far as names tell.
pub(super) struct Order {
    /// How many entries each waits for, by index.
    waits_for: Vec<usize>,
    /// Which entries wait for each, by index.
    waiting: Vec<Vec<usize>>,
    /// Those that wait for nothing any more.
    ready: BTreeSet<usize>,
}

impl Order {
    /// That of pending entries, which come latest first.
    pub(super) fn of(pending: &[Entry]) -> Self {
        let before = befores(pending);
        let waits_for: Vec<usize> = before.iter().map(BTreeSet::len).collect();
        let mut waiting = vec![Vec::new(); pending.len()];
        for (index, before) in before.iter().enumerate() {
            for other in before {
                if let Some(waiting) = waiting.get_mut(*other) {
                    waiting.push(index);
                }
            }
        }
        let free = waits_for.iter().enumerate().filter(|(_, count)| **count == 0);
        let ready = free.map(|(index, _)| index).collect();
        Self { waits_for, waiting, ready }
    }

    /// The next that may be undone.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.ready.pop_first()
    }

    /// An entry needs not be waited for any more.
    pub(super) fn done(&mut self, index: usize) {
        for other in self.waiting.get_mut(index).map(std::mem::take).unwrap_or_default() {
            if let Some(count) = self.waits_for.get_mut(other) {
                *count -= 1;
                if *count == 0 {
                    self.ready.insert(other);
                }
            }
        }
    }
}

/// What each entry has to wait for, but for what that waits for itself: all that share a text are undone one after the
/// other, so each waits for the next of them alone.
fn befores(pending: &[Entry]) -> Vec<BTreeSet<usize>> {
    let names: Vec<Vec<&str>> = pending.iter().map(names).collect();
    let contained = contained(&names);
    let index_of: HashMap<Seq, usize> =
        pending.iter().enumerate().map(|(index, entry)| (entry.seq, index)).collect();
    let mut befores = vec![BTreeSet::new(); pending.len()];
    // The last entry so far that has a text, and those since whose texts contain it.
    let mut last: HashMap<&str, usize> = HashMap::new();
    let mut around: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, own) in names.iter().enumerate() {
        let mut before = BTreeSet::new();
        for name in own {
            before.extend(last.get(name));
            before.extend(around.remove(name).unwrap_or_default());
            for part in contained.get(name).into_iter().flatten() {
                before.extend(last.get(part));
            }
        }
        for name in own {
            last.insert(name, index);
            for part in contained.get(name).into_iter().flatten() {
                around.entry(part).or_default().push(index);
            }
        }
        if let Some(slot) = befores.get_mut(index) {
            slot.extend(before);
        }
        // What this one was created from waits for it.
        let depends = pending.get(index).map(|entry| entry.depends.as_slice()).unwrap_or_default();
        for source in depends.iter().filter_map(|seq| index_of.get(seq)) {
            if *source > index
                && let Some(slot) = befores.get_mut(*source)
            {
                slot.insert(index);
            }
        }
    }
    for (index, before) in befores.iter_mut().enumerate() {
        before.remove(&index);
    }
    befores
}

fn names(entry: &Entry) -> Vec<&str> {
    let mut found = vec![entry.name.as_str()];
    texts(&entry.undo, &mut found);
    found.retain(|text| text.len() >= SHORTEST);
    found.sort_unstable();
    found.dedup();
    found
}

/// For each text, those of the others that stand in it.
fn contained<'t>(names: &[Vec<&'t str>]) -> HashMap<&'t str, Vec<&'t str>> {
    let all: HashSet<&str> = names.iter().flatten().copied().collect();
    let lengths: BTreeSet<usize> = all.iter().map(|text| text.len()).collect();
    let mut contained = HashMap::new();
    for text in &all {
        let mut parts: Vec<&str> = Vec::new();
        for length in lengths.range(..text.len()) {
            let windows = (0..=text.len() - length).filter_map(|at| text.get(at..at + length));
            parts.extend(windows.filter_map(|window| all.get(window)));
        }
        if !parts.is_empty() {
            parts.sort_unstable();
            parts.dedup();
            contained.insert(*text, parts);
        }
    }
    contained
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::journal::EntryState;

    pub(in crate::cleanup) fn entry(seq: Seq, undo: Value, depends: &[Seq]) -> Entry {
        Entry {
            seq,
            kind: "AWS::IAM::Role".to_owned(),
            name: format!("resource-number-{seq}"),
            step: "step".to_owned(),
            number: String::new(),
            undoing: false,
            undo,
            depends: depends.to_vec(),
            keep: false,
            at: None,
            beside: None,
            under_way: None,
            ids: None,
            state: EntryState::Open,
        }
    }

    #[test]
    fn what_was_created_from_it_or_names_it_goes_first() {
        let pending = [
            entry(4, json!({"name": "elsewhere"}), &[]),
            entry(3, json!({"role": "resource-number-1"}), &[]),
            entry(2, json!({"name": "another"}), &[1]),
            entry(1, json!({"name": "one"}), &[]),
        ];
        let befores = befores(&pending);
        assert_eq!(befores[3], BTreeSet::from([1, 2]));
        assert!(befores[..3].iter().all(BTreeSet::is_empty), "{befores:?}");
        let mut order = Order::of(&pending);
        let first = [order.next(), order.next(), order.next(), order.next()];
        assert_eq!(first, [Some(0), Some(1), Some(2), None]);
        order.done(1);
        assert_eq!(order.next(), None);
        order.done(2);
        assert_eq!(order.next(), Some(3));
    }

    #[test]
    fn texts_that_hold_each_other_go_one_after_the_other() {
        let pending = [
            entry(4, json!("the-table/item"), &[]),
            entry(3, json!("the-table"), &[]),
            entry(2, json!("the-table/item/part"), &[]),
            entry(1, json!("the-table"), &[]),
        ];
        let befores = befores(&pending);
        assert_eq!(befores[1], BTreeSet::from([0]));
        assert_eq!(befores[2], BTreeSet::from([0, 1]));
        assert_eq!(befores[3], BTreeSet::from([1, 2]));
    }

    /// One after the other in the end is what counts, and that many are ordered in no time.
    #[test]
    fn thousands_of_items_of_a_table_wait_for_the_next_one_each() {
        let items = (1..=8_000).rev();
        let pending: Vec<Entry> = items
            .map(|seq| entry(seq, json!({"table": "orders", "key": seq.to_string()}), &[]))
            .collect();
        let befores = befores(&pending);
        assert!(befores.iter().skip(1).enumerate().all(|(index, before)| before.contains(&index)));
        let edges: usize = befores.iter().map(BTreeSet::len).sum();
        assert!(edges < 100_000, "{edges}");
    }
}
