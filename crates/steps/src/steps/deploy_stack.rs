//! `deploy-stack`: a CloudFormation stack.

mod template;

use std::collections::BTreeMap;

use aws_sdk_cloudformation::operation::create_stack::builders::CreateStackFluentBuilder;
use aws_sdk_cloudformation::types::{Capability, Parameter, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::resources::ownership::run_tags;
use crate::resources::scalar::Variable;
use crate::resources::stack::{self, Stack};
use engine::step::{Context, StepError, StepKind};

/// `deploy-stack`.
pub struct DeployStack;

/// Creates a CloudFormation stack from a template and waits until it is complete.
///
/// A stack of that name that is there already is an error. A stack that could not be created makes the step fail with
/// the reason that each failed resource gave. When the run is over, the stack is deleted with all that is in it, and with the
/// log groups that Lambda made for its functions; what its template wants to be kept (`DeletionPolicy: Retain`) is named then.
///
/// A template with a policy that allows everything is refused, unless the run is given `--allow-admin`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The stack's name, unique in the account and region.
    #[schemars(extend("x-name" = true, "x-form" = "stack-name"))]
    stack_name: String,
    /// The template's file, relative to the playbook; at most 51,200 bytes.
    #[schemars(extend("x-file" = true, "x-no-directory" = true, "x-template" = true))]
    template: String,
    /// The template's parameters.
    #[serde(default)]
    parameters: BTreeMap<String, Argument>,
    /// What the template may do beyond the usual: `CAPABILITY_IAM`, `CAPABILITY_NAMED_IAM`,
    /// `CAPABILITY_AUTO_EXPAND`.
    #[serde(default)]
    capabilities: Vec<String>,
    /// Tags beside the run's own; what is in the stack gets them too.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
    /// After how many minutes CloudFormation gives up and rolls back.
    #[schemars(range(min = 1))]
    timeout_in_minutes: Option<u16>,
}

/// The value of a parameter. Numbers and booleans become text, lists are joined by commas.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "OneOrMany")]
struct Argument(String);

/// What may be written as the value of a parameter.
#[derive(Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "the value of a parameter is text, a number, a boolean or a list of these"
)]
enum OneOrMany {
    /// One value.
    One(Variable),
    /// A list, for parameters of a list type.
    Many(Vec<Variable>),
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(Variable(value)) => value,
            OneOrMany::Many(values) => {
                values.into_iter().map(|value| value.0).collect::<Vec<_>>().join(",")
            }
        }))
    }
}

/// What the stack is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The stack's name.
    #[schemars(extend("x-known" = true))]
    stack_name: String,
    /// Its id, which no other stack ever has.
    #[schemars(extend("x-from" = "cloudformation:CreateStack StackId"))]
    stack_id: String,
    /// `CREATE_COMPLETE`.
    status: String,
    /// The outputs of its template, by name.
    #[schemars(extend("x-from" = "cloudformation:DescribeStacks Stacks[0].Outputs[?OutputKey=='KEY'].OutputValue|[0]"))]
    outputs: BTreeMap<String, String>,
}

impl StepKind for DeployStack {
    const NAME: &'static str = "deploy-stack";
    const CALLS: &'static [&'static str] = &[
        "cloudformation:CreateStack",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cloudformation:CreateStack",
        "cloudformation:TagResource",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
    ];
    const EXAMPLE: &'static str = "\
- id: stack
  deploy-stack:
    stack_name: playbook-{{ run.id }}
    template: templates/user-pool.yaml
    parameters: {PoolName: \"playbook-{{ run.id }}\"}
    capabilities: [CAPABILITY_IAM]
";

    type Input = Input;
    type Output = Output;
    type Created = Stack;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let template = template::read(&cx, &input.template).await?;
        let parameters = input.parameters.iter().map(|(name, value)| (name, &value.0));
        template::check_policies(&cx, &template, parameters)?;
        let request = request(&cx, &input, template);
        let stack_id = stack::create(&cx, &input.stack_name, request).await?;
        let minutes = input.timeout_in_minutes.map_or(60, u64::from);
        let stack = stack::created(&cx, &stack_id, &input.stack_name, minutes).await?;
        Ok(Output {
            status: stack::status_of(&stack).to_owned(),
            outputs: stack::outputs_of(&stack),
            stack_name: input.stack_name,
            stack_id,
        })
    }
}

fn request(cx: &Context, input: &Input, template: String) -> CreateStackFluentBuilder {
    let parameters = input.parameters.iter().map(|(name, Argument(value))| {
        Parameter::builder().parameter_key(name).parameter_value(value).build()
    });
    let tags = input.tags.clone().into_iter().chain(run_tags(cx));
    cx.aws
        .cloudformation()
        .create_stack()
        .template_body(template)
        .set_parameters(Some(parameters.collect()))
        .set_capabilities(Some(
            input.capabilities.iter().map(|name| Capability::from(name.as_str())).collect(),
        ))
        .set_tags(Some(tags.map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()))
        .set_timeout_in_minutes(input.timeout_in_minutes.map(i32::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_written_as_scalars_or_lists() {
        let given = json!({"a": "text", "b": 7, "c": true, "d": ["x", 1], "e": []});
        let read: BTreeMap<String, Argument> = serde_json::from_value(given).expect("parameters");
        let texts: Vec<_> = read.values().map(|Argument(text)| text.as_str()).collect();
        assert_eq!(texts, ["text", "7", "true", "x,1", ""]);
        for wrong in [json!(null), json!({"a": 1}), json!([[1]])] {
            assert!(serde_json::from_value::<Argument>(wrong).is_err());
        }
    }
}
