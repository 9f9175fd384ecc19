//! When something was made or changed last, as far as a look at it tells.

use jiff::Timestamp;
use serde_json::Value;

/// Members that say when something was made, or changed, without case.
const TIMES: [&str; 17] = [
    "createdate",
    "creationdate",
    "creationtime",
    "creationdatetime",
    "createdat",
    "createddate",
    "createdtime",
    "createdtimestamp",
    "createtime",
    "launchtime",
    "streamcreationtimestamp",
    "lastchangeddate",
    "lastmodified",
    "lastmodifieddate",
    "lastmodifiedtime",
    "lastupdatedtime",
    "lastupdateddate",
];

/// States in which something is as good as gone.
const ENDED: [&str; 4] = ["terminated", "shutting-down", "pendingdeletion", "delete_complete"];

/// The latest time in an answer at which what has that name or ARN was made or changed.
pub(super) fn latest(answer: &Value, names: [&str; 2]) -> Option<Timestamp> {
    match own(answer, names) {
        Own::Is(item) => deepest(item),
        Own::Absent => None,
        Own::Nothing => deepest(answer),
    }
}

/// Whether an answer says that it is being deleted for good.
pub(super) fn has_ended(answer: &Value) -> bool {
    match answer {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let is_state = name.ends_with("status") || name.ends_with("state") || name == "name";
            let ended = |text: &str| ENDED.contains(&text.to_ascii_lowercase().as_str());
            is_state && value.as_str().is_some_and(ended)
                || name == "deleteddate" && !value.is_null()
                || !value.is_string() && has_ended(value)
        }),
        Value::Array(items) => !items.is_empty() && items.iter().all(has_ended),
        _ => false,
    }
}

/// The item of a list that is meant.
enum Own<'v> {
    Is(&'v Value),
    /// There is a list of others.
    Absent,
    /// It is no list of things with names.
    Nothing,
}

fn own<'v>(answer: &'v Value, names: [&str; 2]) -> Own<'v> {
    let lists = answer.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_array());
    let mut found = Own::Nothing;
    for list in lists {
        let is = |item: &&Value| {
            let fields = item.as_object().into_iter().flatten();
            fields.filter_map(|(_, value)| value.as_str()).any(|text| names.contains(&text))
        };
        match list.iter().find(is) {
            Some(item) => return Own::Is(item),
            None if list.iter().any(|item| deepest(item).is_some()) && list.len() > 1 => {
                found = Own::Absent;
            }
            None => {}
        }
    }
    found
}

fn deepest(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter_map(|(name, value)| {
                let is_time = TIMES.contains(&name.to_ascii_lowercase().as_str());
                if is_time { time(value) } else { deepest(value) }
            })
            .max(),
        Value::Array(items) => items.iter().filter_map(deepest).max(),
        _ => None,
    }
}

/// A time in whichever form an API has it: text, seconds or milliseconds since 1970.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => since_1970(number.as_f64()?),
        Value::String(text) => text
            .parse()
            .ok()
            .or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
            .or_else(|| since_1970(text.parse().ok()?)),
        _ => None,
    }
}

fn since_1970(number: f64) -> Option<Timestamp> {
    // As seconds, these would be in the year 5138.
    let millis = if number.abs() > 1e11 { number } else { number * 1e3 };
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is no time")]
    Timestamp::from_millisecond(millis as i64).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        let expected: Timestamp = "2026-11-23T10:00:00Z".parse().expect("a time");
        for answer in [
            json!({"Role": {"CreateDate": "2026-11-23T10:00:00Z"}}),
            json!({"LastModified": "2026-11-23T10:00:00.000+0000"}),
            json!({"creationTime": 1_795_428_000_000_i64}),
            json!({"Attributes": {"CreatedTimestamp": "1795428000"}}),
            json!({"Table": {"CreationDateTime": 1_795_428_000.0}}),
            json!({"Pool": {"CreationDate": "2025-01-01T00:00:00Z", "LastModifiedDate": "2026-11-23T10:00:00Z"}}),
            json!({"Buckets": [
                {"Name": "b", "CreationDate": "2026-11-23T10:00:00Z"},
                {"Name": "c", "CreationDate": "2026-11-30T10:00:00Z"},
            ]}),
        ] {
            assert_eq!(latest(&answer, ["b", "arn:b"]), Some(expected), "{answer}");
        }
        let others = json!({"Buckets": [{"Name": "c", "CreationDate": 1}, {"Name": "d", "CreationDate": 2}]});
        for answer in [json!({"Name": "b"}), json!({"CreateDate": "yesterday"}), others] {
            assert_eq!(latest(&answer, ["b", "arn:b"]), None, "{answer}");
        }
    }

    #[test]
    fn what_is_being_deleted_for_good_has_ended() {
        assert!(has_ended(&json!({"KeyMetadata": {"KeyState": "PendingDeletion"}})));
        assert!(has_ended(&json!({"Name": "s", "DeletedDate": "2026-11-23T10:00:00Z"})));
        assert!(!has_ended(&json!({"KeyMetadata": {"KeyState": "Enabled"}})));
        assert!(!has_ended(
            &json!({"Reservations": [{"Instances": [{"State": {"Name": "running"}}]}]})
        ));
    }
}
