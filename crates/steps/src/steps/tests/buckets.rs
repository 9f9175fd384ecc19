//! Kinds for buckets through the client of a dry run.

use serde_json::{Value, json};

use super::dry_run::DryRun;
use engine::step::{Answer, Undone};

#[tokio::test]
async fn an_object_is_taken_away_before_its_bucket() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let made = dry.run("create-bucket", json!({"bucket": "demo-7f3a", "tags": {"a": "b"}})).await;
    let made = made.expect("planned");
    assert_eq!(made, json!({"bucket": "demo-7f3a", "arn": "arn:aws:s3:::demo-7f3a"}));
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let create = dry.bodies()[1].as_str().expect("XML").to_owned();
    for tag in [tag("a", "b"), tag("playbook:run", "7f3a")] {
        assert!(create.contains(&tag), "{tag} in {create}");
    }
    dry.has_called_as_told("create-bucket");

    let input = json!({"bucket": "demo-7f3a", "key": "ä b", "body": {"x": 1}, "content_type": "application/json"});
    let made = dry.run("put-object", input).await.expect("planned");
    assert_eq!((&made["size"], &made["e_tag"]), (&json!(7), &json!("⟨steps.it.e_tag⟩")));
    assert_eq!(dry.bodies(), [json!("{\"x\":1}")]);
    assert_eq!(dry.operations(), ["s3:PutObject"]);
    let ends = [
        ("AWS::S3::Object demo-7f3a/ä b", Undone::Deleted),
        ("AWS::S3::Bucket demo-7f3a", Undone::Deleted),
    ];
    assert_eq!(dry.undo().await, ends.map(|(what, end)| (what.to_owned(), end)));
    assert_eq!(
        dry.operations(),
        [
            "s3:HeadObject",
            "s3:DeleteObject",
            "s3:GetBucketTagging",
            "s3:DeleteBucket",
            "s3:HeadBucket"
        ]
    );
}

#[tokio::test]
async fn an_object_is_either_text_or_a_file() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let input = |more: Value| {
        let mut input = json!({"bucket": "b", "key": "k"});
        input.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        input
    };
    std::fs::write(dry.directory.path().join("file.txt"), "12345").expect("written");
    let made = dry.run("put-object", input(json!({"file": "file.txt"}))).await.expect("planned");
    assert_eq!(made["size"], 5);
    for (more, message) in [
        (json!({}), "put-object needs either `body` or `file`"),
        (json!({"body": "", "file": "file.txt"}), "put-object needs either `body` or `file`"),
        (json!({"file": "none.txt"}), "there is no file `none.txt`"),
        (json!({"file": "/etc/hostname"}), "`/etc/hostname` leads out of the playbook's directory"),
    ] {
        let refused = dry.run("put-object", input(more)).await.expect_err(message);
        assert_eq!(refused.to_string(), message);
    }
}
