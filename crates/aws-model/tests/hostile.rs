//! Bodies that nobody has written on purpose: they are refused or read, and nothing falls over.

use aws_model::query::Query;
use aws_model::wire::{Call, Request, Response, route};
use aws_model::{Protocol, find};
use serde_json::{Value, json};

/// Numbers that look like chance and are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap_or_default()
    }

    /// The same bytes, with some of them others, away, twice or cut off.
    fn spoil(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut spoilt = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(spoilt.len());
            match self.below(5) {
                0 if !spoilt.is_empty() => {
                    spoilt[place] = u8::try_from(self.below(256)).unwrap_or_default();
                }
                1 if !spoilt.is_empty() => drop(spoilt.remove(place)),
                2 => spoilt.insert(
                    place,
                    *b"<>&\"{}[]:,\xff\x9f\x00\xc3%+.=".get(self.below(18)).unwrap_or(&b'<'),
                ),
                3 => spoilt.truncate(place),
                _ => {
                    let part = spoilt[place..].to_vec();
                    spoilt.extend(part);
                }
            }
        }
        spoilt
    }
}

fn cases() -> Vec<(&'static str, Value, Value)> {
    let item = json!({"id": {"S": "1"}, "n": {"N": "2"}, "b": {"B": "aGk="}, "m": {"M": {"l": {"L": [{"BOOL": true}]}}}});
    vec![
        ("dynamodb:GetItem", json!({"TableName": "t", "Key": item}), json!({"Item": item})),
        (
            "sqs:SendMessage",
            json!({"QueueUrl": "u", "MessageBody": "ü"}),
            json!({"MessageId": "m"}),
        ),
        (
            "lambda:Invoke",
            json!({"FunctionName": "f", "Payload": "e30="}),
            json!({"StatusCode": 200, "Payload": "e30="}),
        ),
        (
            "s3:PutBucketTagging",
            json!({"Bucket": "b", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}),
            json!({}),
        ),
        (
            "s3:ListObjectsV2",
            json!({"Bucket": "b", "Prefix": "p"}),
            json!({"Contents": [{"Key": "k", "Size": 3, "LastModified": "2026-01-01T00:00:00Z"}]}),
        ),
        (
            "iam:CreateRole",
            json!({"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Tags": [{"Key": "k", "Value": "v"}]}),
            json!({"Role": {"RoleName": "r", "Path": "/", "RoleId": "i", "Arn": "a", "CreateDate": "2026-01-01T00:00:00Z"}}),
        ),
        (
            "ec2:RunInstances",
            json!({"MinCount": 1, "MaxCount": 1, "SecurityGroupIds": ["a", "b"]}),
            json!({"Instances": [{"InstanceId": "i", "LaunchTime": "2026-01-01T00:00:00Z"}]}),
        ),
        (
            "cloudwatch:PutMetricData",
            json!({"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5, "Timestamp": 1}]}),
            json!({}),
        ),
    ]
}

#[test]
fn spoilt_bodies_are_refused_or_read() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for (name, input, output) in cases() {
        let found = find(name).expect("it is there");
        let mut protocols = found.service.metadata.protocols.clone();
        if name.starts_with("sqs") {
            protocols.push(Protocol::Query);
        }
        for protocol in protocols {
            let call = Call { protocol, ..Call::new(found.service, found.operation) };
            let request = call.request(&input).expect("it is an input");
            let response = call.response(&output, "id").expect("it is an output");
            assert!(
                call.read_response(&response).is_ok() && call.read_request(&request).is_ok(),
                "{name}"
            );
            for _ in 0..400 {
                let body = chance.spoil(&request.body);
                let path =
                    String::from_utf8_lossy(&chance.spoil(request.path.as_bytes())).into_owned();
                let query =
                    String::from_utf8_lossy(&chance.spoil(request.query.as_bytes())).into_owned();
                let spoilt = Request { body, path, query, ..request.clone() };
                let _ = call.read_request(&spoilt);
                let _ = route(found.service, &spoilt);
                for status in [200, 400, 503] {
                    let body = chance.spoil(&response.body);
                    let _ = call.read_response(&Response { status, body, ..response.clone() });
                }
            }
        }
    }
}

#[test]
fn a_request_is_routed_to_the_operation_that_it_was_written_for() {
    for (name, input, _) in cases() {
        let found = find(name).expect("it is there");
        for protocol in found.service.metadata.protocols.clone() {
            let call = Call { protocol, ..Call::new(found.service, found.operation) };
            let request = call.request(&input).expect("it is an input");
            let routed = route(found.service, &request).expect("it is found");
            assert_eq!(
                (routed.operation.name, routed.protocol),
                (found.operation.name, protocol),
                "{name}"
            );
        }
    }
}

#[test]
fn spoilt_expressions_are_refused_or_read() {
    let mut chance = Chance(7);
    let value = json!({"a": {"b": [{"c": 1}]}});
    for query in [
        "length(a.b[?!(c == `1` && d == 'x')]) == `2`",
        "a.b[].[c, d][] | [0]",
        "NextMarker || Contents[-1].Key",
    ] {
        for _ in 0..2_000 {
            let spoilt = String::from_utf8_lossy(&chance.spoil(query.as_bytes())).into_owned();
            if let Ok(query) = Query::parse(&spoilt) {
                let _ = query.find(&value);
            }
        }
    }
}
