//! Names in the order in which they were declared, found without a search.

use std::collections::HashMap;

/// Guesses look at no more names than these, the latest first: a file of thousands of mistakes is checked as well.
const GUESSED: usize = 300;
/// More names than these are not listed.
const LISTED: usize = 12;

/// What is known of each name.
#[derive(Debug, Clone)]
pub(in crate::playbook) struct Names<T> {
    entries: Vec<(String, T)>,
    index: HashMap<String, usize>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: HashMap::new() }
    }
}

impl<T> Names<T> {
    /// Adds a name; the first of its kind is the one that counts.
    pub(in crate::playbook) fn push(&mut self, name: String, facts: T) {
        self.index.entry(name.clone()).or_insert(self.entries.len());
        self.entries.push((name, facts));
    }

    pub(in crate::playbook) fn get(&self, name: &str) -> Option<&T> {
        self.entries.get(*self.index.get(name)?).map(|(_, facts)| facts)
    }

    pub(in crate::playbook) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.entries.get_mut(*self.index.get(name)?).map(|(_, facts)| facts)
    }

    pub(in crate::playbook) fn has(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// How many there are.
    pub(in crate::playbook) fn count(&self) -> usize {
        self.entries.len()
    }

    /// Takes out those behind the first so many.
    pub(in crate::playbook) fn split_off(&mut self, count: usize) -> Vec<(String, T)> {
        self.index.retain(|_, at| *at < count);
        self.entries.split_off(count.min(self.entries.len()))
    }

    pub(in crate::playbook) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(in crate::playbook) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, facts)| (name.as_str(), facts))
    }

    pub(in crate::playbook) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut T)> {
        self.entries.iter_mut().map(|(name, facts)| (name.as_str(), facts))
    }

    /// The names that somebody may have meant.
    pub(in crate::playbook) fn near(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().rev().take(GUESSED).map(|(name, _)| name.as_str())
    }

    /// The names, in backquotes, in the order of the file; the latest where they are many.
    pub(in crate::playbook) fn listed(&self) -> String {
        let hidden = self.entries.len().saturating_sub(LISTED);
        let names = self.entries.iter().skip(hidden).map(|(name, _)| name.as_str());
        let names = super::quoted(names);
        if hidden == 0 { names } else { format!("{names}, and {hidden} before them") }
    }
}
