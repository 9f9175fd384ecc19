use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::SERVICES;
use crate::account::client::Caller;
use crate::account::latency::LatencyProfile;
use crate::account::{Account, AccountOptions};
use crate::protocol::AwsError;

fn open() -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        latency: LatencyProfile::None,
        ..AccountOptions::default()
    };
    Account::open(options, SERVICES.to_vec())
}

async fn call(account: &Account, operation: &str, input: Value) -> Result<Value, AwsError> {
    account.client(Caller::Requester(None)).operation(&format!("kinesis:{operation}"), &input).await
}

#[tokio::test]
async fn records_are_read_as_they_were_put_by_shard() {
    let account = open();
    let stream = json!({"StreamName": "s", "ShardCount": 2});
    call(&account, "CreateStream", stream.clone()).await.expect("created");
    let twice = call(&account, "CreateStream", stream).await.expect_err("twice");
    assert_eq!((twice.status, twice.code.as_str()), (400, "ResourceInUseException"));
    let records: Vec<Value> =
        (0..20).map(|number| json!({"Data": "aGk=", "PartitionKey": number.to_string()})).collect();
    let put = call(&account, "PutRecords", json!({"StreamName": "s", "Records": records})).await;
    let put = put.expect("put");
    assert_eq!(put["FailedRecordCount"], 0);
    let listed = call(&account, "ListShards", json!({"StreamName": "s"})).await.expect("listed");
    let mut read = BTreeSet::new();
    for shard in listed["Shards"].as_array().expect("shards") {
        let input = json!({
            "StreamName": "s", "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
        });
        let mut iterator = call(&account, "GetShardIterator", input).await.expect("an iterator");
        let mut last = String::new();
        loop {
            let input = json!({"ShardIterator": iterator["ShardIterator"], "Limit": 3});
            let page = call(&account, "GetRecords", input).await.expect("records");
            let records = page["Records"].as_array().expect("a list").clone();
            for record in &records {
                let sequence = record["SequenceNumber"].as_str().unwrap_or_default().to_owned();
                assert!(last < sequence, "{last} {sequence}");
                last = sequence;
                assert_eq!(record["Data"], "aGk=");
                read.insert(record["PartitionKey"].as_str().unwrap_or_default().to_owned());
            }
            if records.is_empty() {
                assert_eq!(page["MillisBehindLatest"], 0);
                break;
            }
            iterator = json!({"ShardIterator": page["NextShardIterator"]});
        }
        assert!(!last.is_empty(), "a shard has got nothing of twenty");
    }
    assert_eq!(read.len(), 20);
    let split = json!({"StreamName": "s", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "5"});
    let refused = call(&account, "SplitShard", split).await.expect_err("no resharding");
    assert!(refused.message.contains("no operation kinesis:SplitShard"), "{refused}");
}
