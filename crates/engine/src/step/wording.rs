//! What is wrong with an input in the words of the language: those of its reader name types of the program, and values,
//! which may be secret.

/// What is wrong, and what to write.
pub(super) fn of(error: &str) -> (String, Option<String>) {
    let found = mistyped(error, "invalid type: ").or_else(|| mistyped(error, "invalid value: "));
    if let Some((given, expected)) = found {
        return (format!("must be {expected}, this is {given}"), Some(format!("write {expected}")));
    }
    if let Some((_, choices)) =
        error.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return (format!("must be {choices}"), None);
    }
    if let Some(field) = error.strip_prefix("missing field ") {
        return (format!("{field} is missing"), None);
    }
    (error.to_owned(), None)
}

/// The kinds of values that were given and expected.
fn mistyped(error: &str, start: &str) -> Option<(&'static str, String)> {
    let (given, expected) = error.strip_prefix(start)?.rsplit_once(", expected ")?;
    let given = match given.split(' ').next()? {
        "string" => "a string",
        "integer" => "a whole number",
        "floating" => "a number",
        "boolean" => "true or false",
        "null" | "unit" => "empty",
        "sequence" => "a list",
        "map" => "a map",
        _ => return None,
    };
    let expected = match expected {
        "a string" | "a borrowed string" => "a string".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on".to_owned(),
        other if other.starts_with("a map") || other.starts_with("struct ") => "a map".to_owned(),
        other => other.to_owned(),
    };
    Some((given, expected))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn types_are_named_as_in_the_language_and_values_not_at_all() {
        assert_eq!(
            of("invalid type: string \"hunter2\", expected i32").0,
            "must be a whole number, this is a string"
        );
        assert_eq!(
            of("invalid value: integer `-5`, expected u16").0,
            "must be a whole number from 0 on, this is a whole number"
        );
        assert_eq!(
            of("invalid type: null, expected a sequence").0,
            "must be a list, this is empty"
        );
        assert_eq!(of("missing field `name`").0, "`name` is missing");
        assert_eq!(of("unknown variant `x`, expected `a` or `b`").0, "must be `a` or `b`");
    }
}
