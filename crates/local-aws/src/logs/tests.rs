//! The state machine and its operations, as callers use them.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::*;
use crate::protocol::AwsError;

const START: u64 = 1_800_000_000_000;
const GROUP: &str = "/aws/lambda/f";

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(START + millis)
}

fn context(millis: u64, latency: LatencyProfile) -> Context {
    let (account_id, region) = ("123456789012".to_owned(), "eu-west-1".to_owned());
    Context { account_id, region, now: at(millis), latency }
}

/// Calls an operation one minute in, when everything that was written at the start is visible.
fn call(state: &mut State, operation: &str, input: &Value) -> Result<Value, AwsError> {
    let body = input.to_string();
    let result = operations::call(
        state,
        operation,
        body.as_bytes(),
        &context(60_000, LatencyProfile::Real),
    )?;
    Ok(result.unwrap_or_default())
}

fn refusal(state: &mut State, operation: &str, input: &Value) -> String {
    call(state, operation, input).expect_err("a refusal").to_string()
}

/// Streams `a` and `b`, with the numbers 0..count, by turns, one a millisecond.
fn with_events(count: u64) -> State {
    let mut state = State::default();
    for number in 0..count {
        let stream = if number % 2 == 0 { "a" } else { "b" };
        state.append(GROUP, stream, [(at(number), format!("number {number}"))], at(0));
    }
    state
}

fn messages(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().into_iter().flatten();
    events.filter_map(|event| event["message"].as_str()).collect()
}

#[test]
fn a_group_is_made_described_and_deleted() {
    let mut state = State::default();
    let name = json!({"logGroupName": GROUP});
    let with_tags = json!({"logGroupName": GROUP, "tags": {"playbook:run": "x"}});
    assert_eq!(call(&mut state, "CreateLogGroup", &with_tags), Ok(Value::Null));
    assert_eq!(
        refusal(&mut state, "CreateLogGroup", &name),
        "ResourceAlreadyExistsException: The specified log group already exists"
    );
    let keep = json!({"logGroupName": GROUP, "retentionInDays": 7});
    assert_eq!(call(&mut state, "PutRetentionPolicy", &keep), Ok(Value::Null));
    let prefix = json!({"logGroupNamePrefix": "/aws/"});
    assert_eq!(
        call(&mut state, "DescribeLogGroups", &prefix).expect("described"),
        json!({"logGroups": [{
            "logGroupName": GROUP,
            "creationTime": START + 60_000,
            "retentionInDays": 7,
            "metricFilterCount": 0,
            "storedBytes": 0,
            "logGroupClass": "STANDARD",
            "arn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f:*",
            "logGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f",
        }]})
    );
    assert_eq!(call(&mut state, "DeleteLogGroup", &name), Ok(Value::Null));
    let expected = "ResourceNotFoundException: The specified log group does not exist.";
    assert_eq!(refusal(&mut state, "DeleteLogGroup", &name), expected);
    assert_eq!(state.snapshot(), State::default().snapshot());
}

#[test]
fn faulty_requests_are_refused() {
    let mut state = with_events(1);
    let event = |timestamp: u64| json!({"timestamp": timestamp, "message": "m"});
    let put = |events: &[Value]| json!({"logGroupName": GROUP, "logStreamName": "a", "logEvents": events});
    for (operation, input, part) in [
        ("CreateLogGroup", json!({}), "Value null at 'logGroupName'"),
        ("CreateLogGroup", json!({"logGroupName": ""}), "greater than or equal to 1"),
        ("CreateLogGroup", json!({"logGroupName": "a b"}), "regular expression pattern"),
        ("CreateLogGroup", json!({"logGroupName": "aws/x"}), "reserved for AWS"),
        ("CreateLogGroup", json!({"logGroupName": "x", "logGroupClass": "Y"}), "enum value set"),
        ("CreateLogGroup", json!({"logGroupName": "x", "tags": {"aws:x": ""}}), "aws: prefixed"),
        ("PutRetentionPolicy", json!({"logGroupName": GROUP, "retentionInDays": 2}), "[1, 3, 5"),
        ("CreateLogStream", json!({"logGroupName": GROUP, "logStreamName": "a:b"}), "[^:*]*"),
        ("DescribeLogGroups", json!({"limit": 51}), "less than or equal to 50"),
        ("DescribeLogGroups", json!({"nextToken": "?"}), "nextToken is invalid"),
        ("DescribeLogStreams", json!({"logGroupName": GROUP, "orderBy": "Size"}), "enum value set"),
        ("PutLogEvents", put(&[]), "greater than or equal to 1"),
        ("PutLogEvents", put(&[event(START), event(START - 1)]), "chronological order"),
        ("PutLogEvents", put(&[event(START), event(START + 86_400_001)]), "24 hours"),
        ("GetLogEvents", json!({"logGroupName": GROUP}), "Value null at 'logStreamName'"),
        (
            "FilterLogEvents",
            json!({"logGroupName": GROUP, "filterPattern": "{ }"}),
            "JSON patterns",
        ),
        ("FilterLogEvents", json!({"logGroupName": GROUP, "nextToken": "f/1/s"}), "is invalid"),
    ] {
        let text = refusal(&mut state, operation, &input);
        assert!(text.starts_with("InvalidParameterException: ") && text.contains(part), "{text}");
    }
    let wrong_type = refusal(&mut state, "CreateLogGroup", &json!({"logGroupName": 1}));
    assert!(wrong_type.starts_with("SerializationException: logGroupName: "), "{wrong_type}");
    let unknown = refusal(&mut state, "StartQuery", &json!({}));
    assert!(unknown.starts_with("UnknownOperationException: "), "{unknown}");
}

#[test]
fn an_event_cannot_be_read_at_once() {
    let state = with_events(1);
    let input = FilterLogEvents { log_group_name: Some(GROUP.to_owned()), ..Default::default() };
    let count = |millis, latency| {
        state.filter_log_events(&input, &context(millis, latency)).expect("there").events.len()
    };
    assert_eq!(count(1_999, LatencyProfile::Real), 0);
    assert_eq!(count(2_000, LatencyProfile::Real), 1);
    assert_eq!(count(19, LatencyProfile::Fast), 0);
    assert_eq!(count(20, LatencyProfile::Fast), 1);
    assert_eq!(count(0, LatencyProfile::None), 1);

    let input = DescribeLogStreams { log_group_name: Some(GROUP.to_owned()), ..Default::default() };
    let last = |millis| {
        let streams = state
            .describe_log_streams(&input, &context(millis, LatencyProfile::Real))
            .expect("there");
        streams
            .log_streams
            .into_iter()
            .map(|stream| stream.last_event_timestamp)
            .collect::<Vec<_>>()
    };
    assert_eq!(last(0), [None]);
    assert_eq!(last(2_000), [i64::try_from(START).ok()]);
}

#[test]
fn reading_forward_ends_at_an_equal_token() {
    let mut state = with_events(6);
    let mut input =
        json!({"logGroupName": GROUP, "logStreamName": "a", "limit": 2, "startFromHead": true});
    let mut seen = Vec::new();
    loop {
        let page = call(&mut state, "GetLogEvents", &input).expect("a page");
        seen.push(messages(&page).join(","));
        if input["nextToken"] == page["nextForwardToken"] {
            break;
        }
        input["nextToken"] = page["nextForwardToken"].clone();
    }
    assert_eq!(seen, ["number 0,number 2", "number 4", ""]);
    state.append(GROUP, "a", [(at(10), "later".to_owned())], at(10));
    let page = call(&mut state, "GetLogEvents", &input).expect("a page");
    assert_eq!(messages(&page), ["later"]);
}

#[test]
fn reading_backward_begins_at_the_end() {
    let mut state = with_events(6);
    let mut input = json!({"logGroupName": GROUP, "logStreamName": "b", "limit": 2});
    let mut seen = Vec::new();
    loop {
        let page = call(&mut state, "GetLogEvents", &input).expect("a page");
        seen.push(messages(&page).join(","));
        if input["nextToken"] == page["nextBackwardToken"] {
            break;
        }
        input["nextToken"] = page["nextBackwardToken"].clone();
    }
    assert_eq!(seen, ["number 3,number 5", "number 1", ""]);
}

#[test]
fn the_end_of_a_time_range_counts_for_searching_only() {
    let mut state = with_events(6);
    let range = json!({"logGroupName": GROUP, "logStreamName": "a", "startTime": START + 2, "endTime": START + 4});
    let read = call(&mut state, "GetLogEvents", &range).expect("a page");
    assert_eq!(messages(&read), ["number 2"]);
    let range = json!({"logGroupName": GROUP, "startTime": START + 2, "endTime": START + 4});
    let found = call(&mut state, "FilterLogEvents", &range).expect("a page");
    assert_eq!(messages(&found), ["number 2", "number 3", "number 4"]);
}

#[test]
fn a_search_goes_across_streams_in_either_direction() {
    let mut state = with_events(5);
    let search = |state: &mut State, mut input: Value| {
        let mut pages = Vec::new();
        loop {
            let page = call(state, "FilterLogEvents", &input).expect("a page");
            pages.push(messages(&page).join(","));
            let Some(token) = page.get("nextToken") else {
                return pages;
            };
            input["nextToken"] = token.clone();
        }
    };
    assert_eq!(
        search(&mut state, json!({"logGroupName": GROUP, "limit": 3})),
        ["number 0,number 1,number 2", "number 3,number 4"]
    );
    let backwards =
        json!({"logGroupName": GROUP, "limit": 3, "startFromHead": false, "startTime": START});
    assert_eq!(search(&mut state, backwards), ["number 4,number 3,number 2", "number 1,number 0"]);
    let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f:*";
    let of_b =
        json!({"logGroupIdentifier": arn, "logStreamNames": ["b"], "filterPattern": "number"});
    assert_eq!(search(&mut state, of_b), ["number 1,number 3"]);
    let missing = json!({"logGroupName": GROUP, "logStreamNames": ["c"]});
    assert_eq!(
        refusal(&mut state, "FilterLogEvents", &missing),
        "ResourceNotFoundException: The specified log stream does not exist."
    );
}

#[test]
fn an_empty_page_of_a_search_is_not_the_end() {
    let mut state = with_events(1_200);
    let mut input = json!({"logGroupName": GROUP, "filterPattern": "\"number 1199\""});
    let first = call(&mut state, "FilterLogEvents", &input).expect("a page");
    assert_eq!(messages(&first), [""; 0]);
    input["nextToken"] = first["nextToken"].clone();
    let second = call(&mut state, "FilterLogEvents", &input).expect("a page");
    assert_eq!(messages(&second), ["number 1199"]);
    assert_eq!(second.get("nextToken"), None);
}

#[test]
fn a_page_holds_a_megabyte_at_most() {
    let mut state = State::default();
    let large = |time| (at(time), "x".repeat(400_000));
    state.append(GROUP, "a", [large(0), large(1), large(2)], at(0));
    let input = json!({"logGroupName": GROUP, "logStreamName": "a", "startFromHead": true});
    for operation in ["GetLogEvents", "FilterLogEvents"] {
        let page = call(&mut state, operation, &input).expect("a page");
        assert_eq!(messages(&page).len(), 2, "{operation}");
    }
}

#[test]
fn events_that_have_expired_are_gone() {
    let mut state = with_events(1);
    let keep = json!({"logGroupName": GROUP, "retentionInDays": 1});
    call(&mut state, "PutRetentionPolicy", &keep).expect("put");
    let input = FilterLogEvents { log_group_name: Some(GROUP.to_owned()), ..Default::default() };
    let count = |millis| {
        let found = state.filter_log_events(&input, &context(millis, LatencyProfile::None));
        found.expect("there").events.len()
    };
    assert_eq!(count(86_400_000), 1);
    assert_eq!(count(86_400_001), 0);
}

#[test]
fn streams_are_ordered_as_asked() {
    let mut state = with_events(0);
    for (stream, time) in [("x", 30), ("y", 10), ("z", 20)] {
        state.append(GROUP, stream, [(at(time), "m".to_owned())], at(time));
    }
    state.ensure_stream(GROUP, "empty", at(0));
    let list = |state: &mut State, mut input: Value| {
        let mut names = Vec::new();
        loop {
            let page = call(state, "DescribeLogStreams", &input).expect("a page");
            let streams = page["logStreams"].as_array().into_iter().flatten();
            names
                .extend(streams.map(|one| one["logStreamName"].as_str().unwrap_or("?").to_owned()));
            let Some(token) = page.get("nextToken") else {
                return names.join(" ");
            };
            input["nextToken"] = token.clone();
        }
    };
    let by_name = json!({"logGroupName": GROUP, "limit": 2});
    assert_eq!(list(&mut state, by_name), "empty x y z");
    let by_time = json!({"logGroupName": GROUP, "orderBy": "LastEventTime", "limit": 1});
    assert_eq!(list(&mut state, by_time), "empty y z x");
    let latest =
        json!({"logGroupName": GROUP, "orderBy": "LastEventTime", "descending": true, "limit": 3});
    assert_eq!(list(&mut state, latest), "x z y empty");
    let prefix = json!({"logGroupName": GROUP, "logStreamNamePrefix": "e"});
    assert_eq!(list(&mut state, prefix), "empty");
}

#[test]
fn events_of_the_wrong_time_are_left_out_and_counted() {
    let mut state = with_events(1);
    let day = 86_400_000;
    let put = |timestamps: &[u64]| {
        let event = |timestamp: &u64| json!({"timestamp": timestamp, "message": "m"});
        let events: Vec<Value> = timestamps.iter().map(event).collect();
        json!({"logGroupName": GROUP, "logStreamName": "b", "logEvents": events})
    };
    let create = json!({"logGroupName": GROUP, "logStreamName": "b"});
    call(&mut state, "CreateLogStream", &create).expect("created");
    let old = put(&[START - 14 * day - 1, START - 14 * day + 60_001]);
    let answer = call(&mut state, "PutLogEvents", &old).expect("written in part");
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 1}));
    let future = put(&[START, START + 7_200_000, START + 7_300_000]);
    let answer = call(&mut state, "PutLogEvents", &future).expect("written in part");
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 2}));
    call(&mut state, "PutRetentionPolicy", &json!({"logGroupName": GROUP, "retentionInDays": 1}))
        .expect("put");
    let expired = put(&[START - day - 1, START - 1]);
    let answer = call(&mut state, "PutLogEvents", &expired).expect("written in part");
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}));
    let count =
        state.groups.get(GROUP).and_then(|group| group.streams.get("b")).map(|b| b.events.len());
    assert_eq!(count, Some(4));
    let all_well = call(&mut state, "PutLogEvents", &put(&[START])).expect("written");
    assert_eq!(all_well.get("rejectedLogEventsInfo"), None);
}

#[test]
fn tags_are_set_listed_and_removed_by_arn_and_by_name() {
    let mut state = with_events(1);
    let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f";
    let tags = json!({"resourceArn": arn, "tags": {"a": "1", "b": ""}});
    call(&mut state, "TagResource", &tags).expect("tagged");
    let by_name = json!({"logGroupName": GROUP});
    let listed = call(&mut state, "ListTagsLogGroup", &by_name).expect("listed");
    assert_eq!(listed, json!({"tags": {"a": "1", "b": ""}}));
    call(&mut state, "UntagResource", &json!({"resourceArn": arn, "tagKeys": ["a", "z"]}))
        .expect("untagged");
    let listed = call(&mut state, "ListTagsForResource", &json!({"resourceArn": arn}));
    assert_eq!(listed, Ok(json!({"tags": {"b": ""}})));
    let elsewhere = arn.replace("eu-west-1", "us-east-1");
    let refused = refusal(&mut state, "ListTagsForResource", &json!({"resourceArn": elsewhere}));
    assert!(refused.starts_with("ResourceNotFoundException: "), "{refused}");
    let many: Map = (0..51).map(|number| (format!("k{number}"), json!(""))).collect();
    let half: Map = many.clone().into_iter().take(50).collect();
    let refused = refusal(&mut state, "TagResource", &json!({"resourceArn": arn, "tags": half}));
    assert!(refused.starts_with("TooManyTagsException: "), "{refused}");
}

type Map = serde_json::Map<String, Value>;
