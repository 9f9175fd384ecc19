//! Which records of a batch a function says have failed.

use std::collections::BTreeSet;

use serde_json::Value;

/// The identifiers that a function's answer names; nothing where all of the batch has failed.
///
/// An answer without a list is a success; one whose list names what is not in the batch, or nothing at all, is a failure.
pub(super) fn failures(payload: &[u8], known: &BTreeSet<&str>) -> Option<BTreeSet<String>> {
    let Ok(answer) = serde_json::from_slice::<Value>(payload) else { return None };
    let list = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Some(BTreeSet::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return None,
    };
    let mut failed = BTreeSet::new();
    for item in list {
        let id = item.get("itemIdentifier").and_then(Value::as_str)?;
        if !known.contains(id) {
            return None;
        }
        failed.insert(id.to_owned());
    }
    Some(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_what_has_failed() {
        let known = BTreeSet::from(["a", "b"]);
        let said = |text: &str| failures(text.as_bytes(), &known);
        let of = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(said(r#"{"batchItemFailures": [{"itemIdentifier": "b"}]}"#), of(&["b"]));
        for success in ["null", "{}", r#""fine""#, r#"{"batchItemFailures": []}"#] {
            assert_eq!(said(success), of(&[]), "{success}");
        }
        assert_eq!(said(r#"{"batchItemFailures": null}"#), of(&[]));
        for failure in [
            r#"{"batchItemFailures": [{"itemIdentifier": "c"}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
            r#"{"batchItemFailures": [{"id": "a"}]}"#,
            r#"{"batchItemFailures": "a"}"#,
        ] {
            assert_eq!(said(failure), None, "{failure}");
        }
    }
}
