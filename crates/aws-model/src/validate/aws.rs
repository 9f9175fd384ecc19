//! Problems in AWS's own words, for whoever answers in its place.

use serde_json::Value;

use super::{Measure, Problem, Step, What};

/// What AWS says of an input that its constraints do not allow: `1 validation error detected: Value '0' at 'limit' failed to
/// satisfy constraint: Member must have value greater than or equal to 1`. Nothing where there is nothing that it says so.
pub fn aws_message(problems: &[Problem], input: &Value) -> Option<String> {
    let said: Vec<String> =
        problems.iter().filter_map(|problem| sentence(problem, input)).collect();
    let plural = if said.len() == 1 { "" } else { "s" };
    (!said.is_empty())
        .then(|| format!("{} validation error{plural} detected: {}", said.len(), said.join("; ")))
}

fn sentence(problem: &Problem, input: &Value) -> Option<String> {
    let found = problem.path.iter().try_fold(input, |value, step| match step {
        Step::Key(name) => value.get(name),
        Step::Index(index) => value.get(index),
    });
    let (extra, constraints): (Option<&str>, Vec<String>) = match &problem.what {
        What::Missing { member } => (Some(member), vec!["Member must not be null".to_owned()]),
        What::Enumeration { values, .. } => {
            (None, vec![format!("Member must satisfy enum value set: [{}]", values.join(", "))])
        }
        What::Pattern { pattern } => {
            (None, vec![format!("Member must satisfy regular expression pattern: {pattern}")])
        }
        What::Range { measure, found, min, max } => {
            let word = if *measure == Measure::Value { "value" } else { "length" };
            let below = min.as_ref().filter(|min| found.as_f64() < min.as_f64());
            let above = max.as_ref().filter(|max| found.as_f64() > max.as_f64());
            let low =
                below.map(|min| format!("Member must have {word} greater than or equal to {min}"));
            let high =
                above.map(|max| format!("Member must have {word} less than or equal to {max}"));
            (None, low.into_iter().chain(high).collect())
        }
        What::Unknown { .. } | What::Type { .. } | What::Form { .. } | What::Union { .. } => {
            return None;
        }
    };
    let value = match (extra, found) {
        (None, Some(Value::String(text))) => format!("'{text}'"),
        (None, Some(other)) => format!("'{other}'"),
        _ => "null".to_owned(),
    };
    let constraint = constraints.join(", ");
    (!constraint.is_empty()).then(|| {
        format!(
            "Value {value} at '{}' failed to satisfy constraint: {constraint}",
            place(&problem.path, extra)
        )
    })
}

/// `tags.1.member.key`: lists are counted from one, members begin with a small letter.
fn place(path: &[Step], extra: Option<&str>) -> String {
    let small = |name: &str| {
        let mut letters = name.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
    };
    let steps = path.iter().map(|step| match step {
        Step::Key(name) => small(name),
        Step::Index(index) => format!("{}.member", index + 1),
    });
    steps.chain(extra.map(small)).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::aws_message;
    use crate::validate::validate;

    #[test]
    fn problems_are_said_as_aws_says_them() {
        let said = |name: &str, input: serde_json::Value| {
            let found = crate::find(name).expect("it is there");
            aws_message(&validate(found.service, found.operation, &input), &input)
        };
        assert_eq!(
            said("dynamodb:Scan", json!({"TableName": "t", "Limit": 0})).as_deref(),
            Some(
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
            )
        );
        assert_eq!(
            said("iam:CreateUser", json!({"Tags": [{"Key": "", "Value": "v"}]})).as_deref(),
            Some(
                "2 validation errors detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; \
                 Value null at 'userName' failed to satisfy constraint: Member must not be null"
            )
        );
        assert_eq!(said("iam:CreateUser", json!({"UserName": "u"})), None);
    }
}
