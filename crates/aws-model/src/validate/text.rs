//! What texts are held against: patterns, base64, names that are near.

use regex_lite::Regex;

use crate::wire::from_base64;

/// Whether a text matches a pattern of a model; nothing where the pattern is beyond linear time or this engine.
///
/// Models say little about anchors. Most services match the whole text, so a pattern that repeats something does here too; one
/// that only names a character or a beginning is looked for anywhere.
pub(super) fn matches(pattern: &str, text: &str) -> Option<bool> {
    let anchored = pattern.starts_with('^') || pattern.ends_with('$');
    let repeats = pattern.contains(['+', '*', '{']);
    let whole = !anchored && repeats;
    let regex = if whole { Regex::new(&format!("^(?:{pattern})$")) } else { Regex::new(pattern) };
    regex.ok().map(|regex| regex.is_match(text))
}

/// How many bytes a text of base64 is.
pub(super) fn bytes(text: &str) -> Option<usize> {
    from_base64(text).map(|bytes| bytes.len())
}

/// The names that are near to one that was written, best first, three at most: but for case and separators the same, or
/// a letter or two away.
pub fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    const MOST: usize = 3;
    let plain = |name: &str| {
        name.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let wanted = plain(written);
    let mut near: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let own = plain(name);
            let distance = strsim::damerau_levenshtein(&wanted, &own);
            let close = distance <= (wanted.chars().count().max(own.chars().count()) / 3).max(1);
            let part = wanted.len() >= 4 && own.ends_with(&wanted);
            (close || part).then_some((if part { distance.min(2) } else { distance }, name))
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.truncate(MOST);
    near.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::{matches, nearest};

    #[test]
    fn a_pattern_is_held_against_the_whole_text_where_it_repeats() {
        assert_eq!(matches("[a-z]+", "abc"), Some(true));
        assert_eq!(matches("[a-z]+", "a b"), Some(false));
        assert_eq!(matches("\\S", "a b"), Some(true));
        assert_eq!(matches("^arn:", "arn:aws"), Some(true));
        assert_eq!(matches("(?!x)[a-z]+", "abc"), None);
    }

    #[test]
    fn near_names_are_found() {
        let names = ["QueueName", "Attributes", "tags"];
        assert_eq!(nearest("queue_name", names.into_iter()), ["QueueName"]);
        assert_eq!(nearest("Name", names.into_iter()), ["QueueName"]);
        assert_eq!(nearest("atributes", names.into_iter()), ["Attributes"]);
        assert!(nearest("Zebra", names.into_iter()).is_empty());
    }
}
