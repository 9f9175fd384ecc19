//! Roles, users, policies and instance profiles: the tagging API tells nothing of them, or tells it in another region alone.

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use engine::aws::{Aws, CallError};

use super::{AT_ONCE, Tagged, all, call, tags_in};
use crate::operation;

/// How a kind of identity is listed, and asked for its tags.
struct Kind {
    list: (&'static str, &'static str),
    tags: (&'static str, &'static str, &'static str),
}

const KINDS: [Kind; 4] = [
    Kind { list: ("iam:ListRoles", "Roles"), tags: ("iam:ListRoleTags", "RoleName", "RoleName") },
    Kind { list: ("iam:ListUsers", "Users"), tags: ("iam:ListUserTags", "UserName", "UserName") },
    Kind {
        list: ("iam:ListPolicies", "Policies"),
        tags: ("iam:ListPolicyTags", "PolicyArn", "Arn"),
    },
    Kind {
        list: ("iam:ListInstanceProfiles", "InstanceProfiles"),
        tags: ("iam:ListInstanceProfileTags", "InstanceProfileName", "InstanceProfileName"),
    },
];

/// All that bears a run's tag, and what kept it from being looked at.
pub(super) async fn find(aws: &Aws) -> (Vec<Tagged>, Vec<CallError>) {
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    for kind in KINDS {
        let (list, member) = kind.list;
        let input = if list == "iam:ListPolicies" { json!({"Scope": "Local"}) } else { json!({}) };
        let listed = match all(aws, list, input, member).await {
            Ok(listed) => listed,
            // A server that has no such operation has no such thing.
            Err(error) if operation::is_unknown_operation(&error) => continue,
            Err(error) => {
                unseen.push(error);
                continue;
            }
        };
        let asked = stream::iter(listed.iter().filter(|item| !is_of_aws(item)))
            .map(|item| tagged(aws, &kind, item))
            .buffer_unordered(AT_ONCE);
        for looked in asked.collect::<Vec<_>>().await {
            match looked {
                Ok(one) => found.extend(one),
                Err(error) if operation::is_gone(&error) => {}
                // One refusal stands for all of its kind.
                Err(error) => {
                    if unseen.iter().all(|other| other.operation != error.operation) {
                        unseen.push(error);
                    }
                }
            }
        }
    }
    (found, unseen)
}

/// Roles that AWS makes for its services: no run can.
fn is_of_aws(item: &Value) -> bool {
    item["Path"].as_str().is_some_and(|path| path.starts_with("/aws-service-role/"))
}

async fn tagged(aws: &Aws, kind: &Kind, item: &Value) -> Result<Option<Tagged>, CallError> {
    let (operation, member, from) = kind.tags;
    let answer = call(aws, operation, &json!({member: item[from]})).await?;
    let arn = item["Arn"].as_str().unwrap_or_default();
    Ok(Tagged::of(arn, &tags_in(&answer["Tags"])))
}
