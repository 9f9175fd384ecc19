//! The managed policies that AWS keeps: those that playbooks are likely to name.

use std::time::{Duration, SystemTime};

use super::ids;
use super::policies::Policy;
use super::tags::Tags;

const PREFIX: &str = "arn:aws:iam::aws:policy";

/// 2015-02-06, when AWS introduced managed policies.
const INTRODUCED: Duration = Duration::from_secs(1_423_247_988);

/// A policy that AWS keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsPolicy {
    path: &'static str,
    name: &'static str,
    /// Empty where AWS's is too long and changes too often to be copied.
    document: &'static str,
}

const fn known(path: &'static str, name: &'static str, document: &'static str) -> AwsPolicy {
    AwsPolicy { path, name, document }
}

const fn named(path: &'static str, name: &'static str) -> AwsPolicy {
    AwsPolicy { path, name, document: "" }
}

/// Every one of them.
pub(super) const AWS_POLICIES: &[AwsPolicy] = &[
    known(
        "/",
        "AdministratorAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ),
    known(
        "/",
        "AmazonCognitoReadOnly",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cognito-identity:Describe*","cognito-identity:Get*","cognito-identity:List*","cognito-idp:Describe*","cognito-idp:AdminGet*","cognito-idp:AdminList*","cognito-idp:List*","cognito-idp:Get*","cognito-sync:Describe*","cognito-sync:Get*","cognito-sync:List*","iam:ListOpenIdConnectProviders","iam:ListRoles","sns:ListPlatformApplications"],"Resource":"*"}]}"#,
    ),
    named("/", "AmazonCognitoDeveloperAuthenticatedIdentities"),
    named("/", "AmazonCognitoPowerUser"),
    named("/", "AmazonDynamoDBFullAccess"),
    named("/", "AmazonDynamoDBFullAccess_v2"),
    named("/", "AmazonDynamoDBReadOnlyAccess"),
    named("/", "AmazonEventBridgeFullAccess"),
    named("/", "AmazonKinesisFullAccess"),
    named("/", "AmazonKinesisReadOnlyAccess"),
    known(
        "/",
        "AmazonS3FullAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}]}"#,
    ),
    known(
        "/",
        "AmazonS3ReadOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"],"Resource":"*"}]}"#,
    ),
    named("/", "AmazonSESFullAccess"),
    known(
        "/",
        "AmazonSNSFullAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sns:*"],"Resource":"*"}]}"#,
    ),
    known(
        "/",
        "AmazonSQSFullAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Action":["sqs:*"],"Effect":"Allow","Resource":"*"}]}"#,
    ),
    named("/", "AmazonSQSReadOnlyAccess"),
    named("/", "AmazonSSMReadOnlyAccess"),
    named("/", "AWSCloudFormationFullAccess"),
    named("/", "AWSLambdaExecute"),
    named("/", "AWSLambdaInvocation-DynamoDB"),
    named("/", "AWSLambda_FullAccess"),
    named("/", "AWSLambda_ReadOnlyAccess"),
    named("/", "AWSStepFunctionsFullAccess"),
    named("/", "AWSXRayDaemonWriteAccess"),
    named("/", "CloudWatchFullAccess"),
    named("/", "CloudWatchLogsFullAccess"),
    named("/", "CloudWatchLogsReadOnlyAccess"),
    named("/", "CloudWatchReadOnlyAccess"),
    named("/", "IAMFullAccess"),
    named("/", "IAMReadOnlyAccess"),
    named("/", "PowerUserAccess"),
    named("/", "ReadOnlyAccess"),
    named("/", "SecurityAudit"),
    named("/", "SecretsManagerReadWrite"),
    named("/job-function/", "ViewOnlyAccess"),
    known(
        "/service-role/",
        "AWSLambdaBasicExecutionRole",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    ),
    known(
        "/service-role/",
        "AWSLambdaDynamoDBExecutionRole",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    ),
    named("/service-role/", "AWSLambdaENIManagementAccess"),
    known(
        "/service-role/",
        "AWSLambdaKinesisExecutionRole",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kinesis:DescribeStream","kinesis:DescribeStreamSummary","kinesis:GetRecords","kinesis:GetShardIterator","kinesis:ListShards","kinesis:ListStreams","kinesis:SubscribeToShard","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    ),
    named("/service-role/", "AWSLambdaMSKExecutionRole"),
    known(
        "/service-role/",
        "AWSLambdaRole",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":["*"]}]}"#,
    ),
    known(
        "/service-role/",
        "AWSLambdaSQSQueueExecutionRole",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    ),
    named("/service-role/", "AWSLambdaVPCAccessExecutionRole"),
    known(
        "/service-role/",
        "AmazonAPIGatewayPushToCloudWatchLogs",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogGroups","logs:DescribeLogStreams","logs:PutLogEvents","logs:GetLogEvents","logs:FilterLogEvents"],"Resource":"*"}]}"#,
    ),
];

/// The policy of that ARN, if AWS keeps one and it is known here.
pub(super) fn find(arn: &str) -> Option<AwsPolicy> {
    let path_and_name = arn.strip_prefix(PREFIX)?;
    AWS_POLICIES.iter().copied().find(|policy| {
        path_and_name.strip_prefix(policy.path).is_some_and(|name| name == policy.name)
    })
}

impl AwsPolicy {
    pub(super) fn to_policy(self) -> Policy {
        let arn = format!("{PREFIX}{}{}", self.path, self.name);
        Policy {
            name: self.name.to_owned(),
            path: self.path.to_owned(),
            id: ids::stable("ANPA", &arn),
            arn,
            created: SystemTime::UNIX_EPOCH + INTRODUCED,
            document: self.document.to_owned(),
            description: None,
            tags: Tags::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::grammar;

    #[test]
    fn every_document_is_valid_and_every_arn_found() {
        for policy in AWS_POLICIES.iter().copied() {
            let shown = policy.to_policy();
            assert_eq!(find(&shown.arn), Some(policy));
            if !shown.document.is_empty() {
                assert_eq!(grammar::check(&shown.document), Ok(()), "{}", shown.name);
            }
        }
    }

    #[test]
    fn the_path_is_part_of_the_arn() {
        assert!(find("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").is_some());
        assert!(find("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole").is_none());
        assert!(find("arn:aws:iam::123456789012:policy/AdministratorAccess").is_none());
    }
}
