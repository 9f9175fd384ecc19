//! The kind that somebody meant who has written another word.

use super::actions::CONTROLS;
use super::declared::BESIDE_BLOCK;
use super::load::Reader;
use crate::diagnostic::{Code, Diagnostic};
use crate::document::{Entry, Node};

impl Reader<'_, '_> {
    /// The kind that was probably meant. Kinds that do the same to something else are not.
    pub(super) fn near_kind(&self, word: &str, names: &[&'static str]) -> Option<&'static str> {
        let all = || names.iter().chain(CONTROLS).copied();
        let Some((verb, noun)) = word.split_once('-') else { return self.scope.guess(word, all()) };
        let of_verb = |name: &&'static str| {
            name.split_once('-').filter(|(other, _)| *other == verb).map(|(_, noun)| noun)
        };
        let near = self.scope.guess(noun, all().filter_map(|name| of_verb(&name)));
        let same = near.and_then(|near| all().find(|name| of_verb(name) == Some(near)));
        same.or_else(|| self.scope.guess(word, all().filter(|name| of_verb(name).is_none())))
    }

    /// That no key of a step says what it does.
    pub(super) fn no_kind(&mut self, node: &Node, entries: &[Entry]) {
        let place = entries.first().map_or(node.span, |entry| entry.key.span);
        if entries.iter().any(|entry| BESIDE_BLOCK.contains(&entry.key.name.as_str())) {
            return;
        }
        self.fault(
            Diagnostic::new(Code::NoKind, "this step does nothing")
                .at(place)
                .label("no key says what the step does")
                .help("add one, such as `print: Hello`; `playbook steps` lists them"),
        );
    }
}
