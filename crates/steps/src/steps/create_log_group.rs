//! `create-log-group`: a group of log streams.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::log_group::{self, LogGroup, RETENTION};
use engine::step::{Context, StepError, StepKind};

/// `create-log-group`.
pub struct CreateLogGroup;

/// Creates a log group.
///
/// One of that name that is there already is an error. The log group of a function that `create-function` makes is
/// created by that step.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The log group's name, such as `/aws/lambda/NAME`.
    #[schemars(extend("x-name" = true, "x-form" = "log-group-name"))]
    log_group_name: String,
    /// After how many days events are deleted; never when absent. AWS knows these numbers alone.
    #[schemars(extend("enum" = RETENTION))]
    retention_in_days: Option<i32>,
    /// Tags beside the run's own.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
}

/// What the log group is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The log group's name.
    #[schemars(extend("x-known" = true))]
    log_group_name: String,
}

impl StepKind for CreateLogGroup {
    const NAME: &'static str = "create-log-group";
    const CALLS: &'static [&'static str] = &[
        "logs:CreateLogGroup",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "logs:CreateLogGroup",
        "logs:TagResource",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
    ];
    const EXAMPLE: &'static str = "\
- create-log-group:
    log_group_name: /playbook/{{ run.id }}
    retention_in_days: 1
";

    type Input = Input;
    type Output = Output;
    type Created = LogGroup;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let Input { log_group_name, retention_in_days, tags } = input;
        match log_group::create(&cx, &log_group_name, retention_in_days, &tags).await? {
            None => Ok(Output { log_group_name }),
            Some(error) => Err(StepError::Failed {
                code: "ResourceAlreadyExistsException".to_owned(),
                message: error.message,
                help: Some(
                    "choose another name, or leave the step out to use the group as it is"
                        .to_owned(),
                ),
                details: Vec::new(),
            }),
        }
    }
}
