//! What was expected beside what came.

use std::path::Path;

use snapbox::Data;
use snapbox::report::{Palette, write_diff};

use super::calls::as_lines;

/// Whether expected files are to be rewritten.
pub fn accepting() -> bool {
    std::env::var_os("PLAYBOOK_ACCEPT").is_some_and(|value| !value.is_empty())
}

/// More lines than these help nobody.
const SHOWN: usize = 80;

/// The difference, drawn; nothing where there is none.
pub fn between(expected: &str, actual: &str, expected_name: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let mut drawn = String::new();
    write_diff(
        &mut drawn,
        &Data::text(expected),
        &Data::text(actual),
        Some(&expected_name),
        Some(&"what came"),
        Palette::plain(),
    )
    .unwrap();
    let lines = drawn.lines().count();
    if lines > SHOWN {
        let more = format!("… and {} lines more", lines - SHOWN);
        drawn = as_lines(drawn.lines().take(SHOWN).chain([more.as_str()]));
    }
    Some(drawn)
}

/// Compares with a file, or rewrites it.
pub fn with_file(path: &Path, actual: &str) -> Option<String> {
    if accepting() {
        if actual.is_empty() {
            let _absent = std::fs::remove_file(path);
        } else {
            std::fs::write(path, actual).unwrap();
        }
        return None;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    between(&expected, actual, &path.display().to_string())
}
