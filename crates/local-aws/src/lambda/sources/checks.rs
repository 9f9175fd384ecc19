//! What has to be there before anything is polled: the source, and what the function's role may do with it.

use super::super::errors::invalid;
use super::super::{Lambda, State as Functions};
use super::mapping::{Configuration, SourceKind};
use crate::protocol::AwsError;
use crate::{dynamodb, iam, kinesis, sqs};

const OF_QUEUES: [&str; 3] = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
const OF_TABLES: [&str; 4] = ["GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"];

/// Refuses what could not be polled.
pub(super) fn check(lambda: &Lambda, configuration: &Configuration) -> Result<(), AwsError> {
    let (role, timeout) = {
        let functions = lambda.account.state::<Functions>();
        let arn = configuration.function.arn(lambda.place());
        let (_, version) = functions.find(&configuration.function, &arn)?;
        (version.configuration.role.clone(), version.configuration.timeout)
    };
    let source = &configuration.source_arn;
    match configuration.kind {
        SourceKind::Queue { .. } => {
            let iam = lambda.account.state::<iam::State>();
            let denied = |action: &&&str| !iam.role_allows(&role, &format!("sqs:{action}"), source);
            if let Some(action) = OF_QUEUES.iter().find(denied) {
                return Err(invalid(format!(
                    "The function execution role does not have permissions to call {action} on SQS"
                )));
            }
            drop(iam);
            let name = sqs::deliver::name_of(source);
            let kind = sqs::deliver::kind(&lambda.account, name).map_err(|error| {
                invalid(format!(
                    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error \
                     Message: {}",
                    error.message
                ))
            })?;
            if kind.visibility < timeout {
                return Err(invalid(format!(
                    "Queue visibility timeout: {} seconds is less than Function timeout: {timeout} seconds",
                    kind.visibility
                )));
            }
            Ok(())
        }
        SourceKind::Table | SourceKind::Kinesis => {
            let (service, found) = if configuration.kind == SourceKind::Table {
                ("dynamodb", dynamodb::streams::is_there(&lambda.account, source))
            } else {
                ("kinesis", kinesis::is_there(&lambda.account, source))
            };
            if !found {
                return Err(invalid(format!("Stream not found: {source}")));
            }
            let iam = lambda.account.state::<iam::State>();
            let denied = |action: &&str| {
                let resource = if *action == "ListStreams" { "*" } else { source };
                !iam.role_allows(&role, &format!("{service}:{action}"), resource)
            };
            if OF_TABLES.iter().any(denied) {
                let listed = if service == "kinesis" {
                    "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams"
                } else {
                    "GetRecords, GetShardIterator, DescribeStream, and ListStreams"
                };
                return Err(invalid(format!(
                    "Cannot access stream {source}. Please ensure the role can perform the {listed} Actions on your stream in IAM."
                )));
            }
            Ok(())
        }
    }
}
