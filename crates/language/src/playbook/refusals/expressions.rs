//! Reserved words in DynamoDB's expressions.

use crate::diagnostic::{Code, Diagnostic};
use crate::document::Node;
use crate::playbook::fields::is_templated;
use crate::playbook::load::Reader;

/// The words of the expressions themselves.
const WORDS: &[&str] = &["AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"];

impl Reader<'_, '_> {
    /// Names in an expression that DynamoDB keeps for itself, and placeholders that stand for nothing.
    pub(super) fn reserved_words(&mut self, field: &str, node: &Node, input: &Node) {
        let Some(text) = node.as_str().filter(|text| !is_templated(text)) else { return };
        for (start, word) in names(text) {
            let upper = word.to_ascii_uppercase();
            let own = WORDS.contains(&upper.as_str());
            if own || !self.loader.kinds.is_reserved(&upper) {
                continue;
            }
            self.fault(
                Diagnostic::new(
                    Code::ReservedWord,
                    format!("`{word}` is a reserved word of DynamoDB"),
                )
                .at(node.locate(start..start + word.len()))
                .label(format!("cannot stand in `{field}`"))
                .help(format!(
                    "write `#{word}`, and `expression_attribute_names: {{\"#{word}\": {word}}}`"
                )),
            );
        }
        let given = [
            ('#', "expression_attribute_names", "a name"),
            (':', "expression_attribute_values", "a value"),
        ];
        for (sign, field, what) in given {
            let entries = match input.get(field) {
                None => &[][..],
                Some(map) => match map.as_mapping() {
                    Some(entries) => entries,
                    None => continue,
                },
            };
            for (start, word) in placeholders(text, sign) {
                if entries.iter().any(|entry| entry.key.name == word) {
                    continue;
                }
                self.fault(
                    Diagnostic::new(Code::MissingField, format!("`{word}` stands for nothing"))
                        .at(node.locate(start..start + word.len()))
                        .label(format!("`{field}` has no `{word}`"))
                        .help(format!("add {what}: `{field}: {{\"{word}\": …}}`")),
                );
            }
        }
    }
}

fn is_part(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_'
}

/// The words that name attributes, and where each begins. Those before a bracket are functions.
fn names(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(start) = rest.find(|it: char| is_part(it) || it == '#' || it == ':') else {
            break;
        };
        let signed = !rest.get(start..).is_some_and(|rest| rest.starts_with(is_part));
        let from = start + usize::from(signed);
        let tail = rest.get(from..).unwrap_or_default();
        let length = tail.find(|it| !is_part(it)).unwrap_or(tail.len());
        let word = tail.get(..length).unwrap_or_default();
        let calls = tail.get(length..).unwrap_or_default().trim_start().starts_with('(');
        let keyword = WORDS.contains(&word.to_ascii_uppercase().as_str());
        let number = word.starts_with(|first: char| first.is_ascii_digit());
        if !(signed || word.is_empty() || number || calls || keyword) {
            found.push((at + from, word));
        }
        at += from + length;
    }
    found
}

/// The placeholders that begin with a sign, and where each begins.
fn placeholders(text: &str, sign: char) -> Vec<(usize, &str)> {
    let starts = text.match_indices(sign);
    let word = |(start, _): (usize, &str)| {
        let tail = text.get(start + 1..)?;
        let length = tail.find(|it| !is_part(it)).unwrap_or(tail.len());
        (length > 0).then(|| text.get(start..start + 1 + length).map(|word| (start, word)))?
    };
    starts.filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_functions_words_and_placeholders() {
        let text = "begins_with(name, :n) and #s = :s AND size (status) > 5 or a.date[0] IN (:x)";
        let found: Vec<&str> = names(text).into_iter().map(|(_, word)| word).collect();
        assert_eq!(found, ["name", "status", "a", "date"]);
        assert_eq!(placeholders(text, '#'), [(26, "#s")]);
    }
}
