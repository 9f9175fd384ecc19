//! The words that DynamoDB keeps for itself.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>

const WORDS: &str = include_str!("reserved_words.txt");

/// Whether a word, in capital letters, cannot name an attribute in an expression of DynamoDB.
#[must_use]
pub fn is_reserved_word(word: &str) -> bool {
    WORDS.lines().any(|reserved| reserved == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(is_reserved_word("NAME") && is_reserved_word("STATUS"));
        assert!(!is_reserved_word("NAM") && !is_reserved_word("name") && !is_reserved_word(""));
    }
}
