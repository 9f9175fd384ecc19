//! botocore's own endpoint tests: where each service is, in every case that its rules know.
//!
//! They are read from the folder that `AWS_PROTOCOL_TESTS` names; `pack/fetch-protocol-tests` fetches them.
#![expect(clippy::print_stdout, reason = "a test says what it skipped, and how much it did")]

use std::path::PathBuf;

use aws_model::endpoint::{Rules, Settings, parameters};
use aws_model::wire::Call;
use aws_model::{find, services};
use serde_json::{Map, Value, json};

#[test]
fn every_service_is_where_its_tests_say() {
    let Some(folder) = std::env::var_os("AWS_PROTOCOL_TESTS") else {
        println!(
            "skipped: AWS_PROTOCOL_TESTS does not say where the endpoint tests are (pack/fetch-protocol-tests fetches them)"
        );
        return;
    };
    let (mut failed, mut passed) = (Vec::new(), 0);
    for entry in services() {
        let file = PathBuf::from(&folder)
            .join("endpoint-rules")
            .join(entry.name)
            .join("endpoint-tests-1.json");
        let tests: Value =
            serde_json::from_str(&std::fs::read_to_string(file).expect("each service has tests"))
                .expect("they are JSON");
        let rules = Rules::of(entry.name).expect("each service has rules");
        for case in tests["testCases"].as_array().into_iter().flatten() {
            let params = case["params"].as_object().cloned().unwrap_or_default();
            match check(&rules, &params, &case["expect"]) {
                Ok(()) => passed += 1,
                Err(why) => failed.push(format!("{} {params:?}: {why}", entry.name)),
            }
        }
    }
    println!("{passed} endpoint cases pass");
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed[..failed.len().min(40)].join("\n")
    );
    assert!(passed > 5_000, "only {passed} cases");
}

fn check(rules: &Rules, params: &Map<String, Value>, expected: &Value) -> Result<(), String> {
    match rules.resolve(params) {
        Ok(endpoint) => {
            let wanted = &expected["endpoint"];
            let headers: Vec<_> = wanted["headers"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, values)| {
                    (name.clone(), values[0].as_str().unwrap_or_default().to_owned())
                })
                .collect();
            let properties = wanted.get("properties").cloned().unwrap_or_else(|| json!({}));
            if wanted["url"] == endpoint.url.as_str()
                && headers == endpoint.headers
                && properties == endpoint.properties
            {
                Ok(())
            } else {
                Err(format!("it is {endpoint:?}, not {wanted}"))
            }
        }
        Err(error) if expected["error"] == error.to_string().as_str() => Ok(()),
        Err(error) => Err(format!("{error}, not {expected}")),
    }
}

#[test]
fn a_client_finds_its_service() {
    let url = |name: &str, input: Value, settings: &Settings| {
        let found = find(name).expect("it is there");
        let rules = Rules::of(found.service.name).expect("it has rules");
        let given = parameters(found.service, found.operation, &input, &rules, settings);
        rules.resolve(&given).map(|endpoint| endpoint.url).map_err(|error| error.to_string())
    };
    let region = |region: &str| Settings { region: Some(region.to_owned()), ..Settings::default() };
    assert_eq!(
        url("sqs:CreateQueue", json!({"QueueName": "q"}), &region("eu-west-1")),
        Ok("https://sqs.eu-west-1.amazonaws.com".into())
    );
    assert_eq!(
        url("sqs:CreateQueue", json!({"QueueName": "q"}), &region("cn-north-1")),
        Ok("https://sqs.cn-north-1.amazonaws.com.cn".into())
    );
    assert_eq!(
        url("iam:CreateRole", json!({}), &region("eu-west-1")),
        Ok("https://iam.amazonaws.com".into())
    );
    assert_eq!(
        url("s3:PutObject", json!({"Bucket": "my-bucket", "Key": "k"}), &region("eu-west-1")),
        Ok("https://my-bucket.s3.eu-west-1.amazonaws.com".into())
    );
    let local = Settings { endpoint: Some("http://127.0.0.1:4566".into()), ..region("eu-west-1") };
    assert_eq!(
        url("dynamodb:Scan", json!({"TableName": "t"}), &local),
        Ok("http://127.0.0.1:4566".into())
    );
    assert!(url("sqs:CreateQueue", json!({}), &Settings::default()).is_err());
}

#[test]
fn a_bucket_stands_in_the_url_once() {
    let url = |name: &str, input: Value, settings: &Settings| {
        let found = find(name).expect("it is there");
        let rules = Rules::of(found.service.name).expect("it has rules");
        let given = parameters(found.service, found.operation, &input, &rules, settings);
        let endpoint = rules.resolve(&given).expect("it is somewhere");
        let call = Call::new(found.service, found.operation);
        endpoint.url(&call, &call.request(&input).expect("it is an input"))
    };
    let region = Settings { region: Some("eu-west-1".into()), ..Settings::default() };
    let object = json!({"Bucket": "my-bucket", "Key": "a/b c"});
    assert_eq!(
        url("s3:GetObject", object.clone(), &region),
        "https://my-bucket.s3.eu-west-1.amazonaws.com/a/b%20c"
    );
    assert_eq!(
        url("s3:ListObjectsV2", json!({"Bucket": "my-bucket"}), &region),
        "https://my-bucket.s3.eu-west-1.amazonaws.com/?list-type=2"
    );
    assert_eq!(url("s3:ListBuckets", json!({}), &region), "https://s3.eu-west-1.amazonaws.com/");
    let local = Settings {
        endpoint: Some("http://127.0.0.1:4566".into()),
        force_path_style: true,
        ..region
    };
    assert_eq!(url("s3:GetObject", object, &local), "http://127.0.0.1:4566/my-bucket/a/b%20c");
    assert_eq!(
        url("s3:CreateBucket", json!({"Bucket": "my-bucket"}), &local),
        "http://127.0.0.1:4566/my-bucket"
    );
    assert_eq!(
        url("lambda:GetFunction", json!({"FunctionName": "f"}), &local),
        "http://127.0.0.1:4566/2015-03-31/functions/f"
    );
}
