//! `Policies` of a function: managed ones, documents, and SAM's own, which stand for a document.

use serde_json::{Value, json};

use super::{super::error::unsupported, FUNCTION, wrong};
use crate::protocol::AwsError;

const LOGS: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

const NO_POLICY: &str = "Property 'Policies' should be a valid policy or list of policies.";

/// SAM's policies that are known here, with the parameter that each takes, what it allows, and on what.
const KNOWN: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "DynamoDBCrudPolicy",
        "TableName",
        &[
            "dynamodb:GetItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
            "dynamodb:ConditionCheckItem",
        ],
        TABLES,
    ),
    (
        "DynamoDBReadPolicy",
        "TableName",
        &[
            "dynamodb:GetItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
        ],
        TABLES,
    ),
    (
        "DynamoDBWritePolicy",
        "TableName",
        &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"],
        TABLES,
    ),
    (
        "S3ReadPolicy",
        "BucketName",
        &[
            "s3:GetObject",
            "s3:ListBucket",
            "s3:GetBucketLocation",
            "s3:GetObjectVersion",
            "s3:GetLifecycleConfiguration",
        ],
        BUCKETS,
    ),
    (
        "S3WritePolicy",
        "BucketName",
        &["s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"],
        BUCKETS,
    ),
    (
        "SNSPublishMessagePolicy",
        "TopicName",
        &["sns:Publish"],
        &["arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${it}"],
    ),
    (
        "SQSPollerPolicy",
        "QueueName",
        &[
            "sqs:ChangeMessageVisibility",
            "sqs:ChangeMessageVisibilityBatch",
            "sqs:DeleteMessage",
            "sqs:DeleteMessageBatch",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        QUEUES,
    ),
    ("SQSSendMessagePolicy", "QueueName", &["sqs:SendMessage*"], QUEUES),
    (
        "SSMParameterReadPolicy",
        "ParameterName",
        &["ssm:GetParameters", "ssm:GetParameter", "ssm:GetParametersByPath"],
        &["arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${it}"],
    ),
];
const TABLES: &[&str] = &[
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${it}",
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${it}/index/*",
];
const BUCKETS: &[&str] =
    &["arn:${AWS::Partition}:s3:::${it}", "arn:${AWS::Partition}:s3:::${it}/*"];
const QUEUES: &[&str] = &["arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${it}"];

/// The managed policies and the inline ones of a function's role.
pub(super) fn of_function(
    id: &str,
    policies: Option<&Value>,
) -> Result<(Vec<Value>, Vec<Value>), AwsError> {
    let (mut managed, mut inline) = (vec![json!(LOGS)], Vec::new());
    let policies = match policies {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(policies)) => policies.clone(),
        Some(policy) => vec![policy.clone()],
    };
    for policy in policies {
        match &policy {
            Value::String(name) if name.starts_with("arn:") => managed.push(policy),
            Value::String(name) => managed.push(json!(arn_of(name))),
            Value::Object(members) if members.contains_key("Statement") => {
                inline.push(named(id, inline.len(), &policy));
            }
            Value::Object(members) => match members.iter().next() {
                Some((name, _)) if name == "Ref" || name.starts_with("Fn::") => {
                    managed.push(policy);
                }
                Some((name, parameters)) if members.len() == 1 => {
                    inline.push(named(id, inline.len(), &document(id, name, parameters)?));
                }
                _ => return Err(wrong(id, NO_POLICY)),
            },
            _ => return Err(wrong(id, NO_POLICY)),
        }
    }
    if managed.iter().skip(1).any(|policy| policy == LOGS) {
        managed.remove(0);
    }
    Ok((managed, inline))
}

/// Some of AWS's policies lie in a folder.
fn arn_of(name: &str) -> String {
    let folder =
        if name.starts_with("AWSLambda") && name.ends_with("Role") { "service-role/" } else { "" };
    format!("arn:aws:iam::aws:policy/{folder}{name}")
}

fn named(id: &str, number: usize, document: &Value) -> Value {
    json!({"PolicyName": format!("{id}RolePolicy{number}"), "PolicyDocument": document})
}

/// What one of SAM's policies stands for.
fn document(id: &str, name: &str, parameters: &Value) -> Result<Value, AwsError> {
    let known = KNOWN.iter().find(|known| known.0 == name);
    let (_, parameter, actions, resources) =
        known.ok_or_else(|| unsupported(&format!("the policy {name} of {FUNCTION}")))?;
    let value = parameters.get(parameter).ok_or_else(|| {
        wrong(id, &format!("Missing required parameter values of {name}: {parameter}"))
    })?;
    let resources: Vec<Value> =
        resources.iter().map(|arn| json!({"Fn::Sub": [arn, {"it": value}]})).collect();
    Ok(json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}],
    }))
}
