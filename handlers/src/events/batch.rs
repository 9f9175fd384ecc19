//! What becomes of one item of a batch.

use serde_json::Value;

/// Why an item fails.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It asks for it.
    #[error("its \"fail\" is true")]
    Asked,
}

/// Processes an item: here goes the work of your own.
///
/// An item is JSON, and fails if it says `"fail": true`.
pub fn process(item: &[u8]) -> Result<(), Failure> {
    let item: Value = serde_json::from_slice(item)?;
    match item.get("fail") {
        Some(Value::Bool(true)) => Err(Failure::Asked),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::process;

    #[test]
    fn only_json_that_does_not_ask_for_failure_is_processed() {
        for (item, reason) in [
            ("{}", None),
            ("[1]", None),
            ("7", None),
            (r#"{"fail": false}"#, None),
            (r#"{"fail": "true"}"#, None),
            (r#"{"nested": {"fail": true}}"#, None),
            (r#"{"fail": true}"#, Some("its \"fail\" is true")),
            ("", Some("not JSON: EOF while parsing a value at line 1 column 0")),
            ("Hello", Some("not JSON: expected value at line 1 column 1")),
        ] {
            let failure = process(item.as_bytes()).err().map(|failure| failure.to_string());
            assert_eq!(failure.as_deref(), reason, "{item}");
        }
        assert!(process(&[0xff]).is_err());
    }
}
