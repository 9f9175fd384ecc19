//! Identifiers.

/// A new one, as version 4 of UUIDs is written.
#[must_use]
pub fn uuid() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn an_identifier_says_its_version_and_its_variant() {
        let one = uuid();
        let parts: Vec<&str> = one.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{one}");
        assert_ne!(one, uuid());
    }
}
