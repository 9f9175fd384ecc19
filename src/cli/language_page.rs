//! `playbook explain language`: what a playbook can say.

use std::fmt::Write as _;

use super::steps::rows_of;
use engine::step::Kinds;
use language::playbook::{input_keys, json_schema};
use language::template::{FILTER_WORDS, FUNCTION_WORDS, TEST_WORDS, Word};

/// The word that `playbook explain` shows this page for.
pub(super) const NAME: &str = "language";

/// The page, as Markdown.
#[must_use]
pub fn page(kinds: &dyn Kinds) -> String {
    let parts = [
        ("[[top]]", top(kinds)),
        ("[[inputs]]", rows_of(&input_keys())),
        ("[[filters]]", words(FILTER_WORDS)),
        ("[[tests]]", words(TEST_WORDS)),
        ("[[functions]]", words(FUNCTION_WORDS)),
    ];
    parts.iter().fold(include_str!("language.md").to_owned(), |page, (mark, rows)| {
        page.replacen(mark, rows.trim_end(), 1)
    })
}

fn top(kinds: &dyn Kinds) -> String {
    let schema = json_schema(kinds, &[]);
    let keys = schema.get("properties").and_then(serde_json::Value::as_object);
    let mut rows = String::new();
    for (name, schema) in keys.into_iter().flatten() {
        let meaning = schema.get("description").and_then(serde_json::Value::as_str);
        let _ = writeln!(rows, "| `{name}` | {} |", meaning.unwrap_or_default());
    }
    rows
}

fn words(words: &[Word]) -> String {
    let mut rows = String::new();
    for word in words {
        let cell = |text: &str| text.replace('|', "\\|");
        let (example, gives) = (cell(word.example), cell(word.gives));
        let _ = writeln!(rows, "| `{}` | `{example}` | `{gives}` |", word.name);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::steps::Registry;
    use language::playbook::RUN_FACTS;

    #[test]
    fn everything_that_can_be_named_is_on_the_page() {
        let page = page(&Registry);
        assert!(!page.contains("[[top") && !page.contains("[[fun"), "{page}");
        for fact in RUN_FACTS {
            assert!(page.contains(&format!("| `run.{fact}` |")), "{fact}");
        }
        for key in input_keys()["properties"].as_object().expect("keys").keys() {
            assert!(page.contains(&format!("\n| `{key}` |")), "{key}");
        }
        for word in FILTER_WORDS.iter().chain(TEST_WORDS).chain(FUNCTION_WORDS) {
            assert!(page.contains(&format!("\n| `{}` | `", word.name)), "{}", word.name);
        }
        for top in ["version", "name", "inputs", "vars", "defaults", "steps", "outputs"] {
            assert!(page.contains(&format!("\n| `{top}` |")), "{top}");
        }
    }
}
