//! `list-functions`: the functions of the account.

use aws_sdk_lambda::operation::list_functions::ListFunctionsOutput;
use aws_sdk_lambda::types::FunctionConfiguration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `list-functions`.
pub struct ListFunctions;

/// Lists the Lambda functions of the account in the region.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// How many to list at most.
    #[serde(default = "one_page")]
    #[schemars(range(min = 1))]
    max_items: usize,
}

/// What Lambda returns at once, at most.
const PAGE: usize = 50;

fn one_page() -> usize {
    PAGE
}

/// The functions that there are.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The functions, at most as many as asked for.
    functions: Vec<Listed>,
    /// How many are listed.
    count: usize,
}

/// A function in a list.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Listed {
    /// Its name.
    function_name: String,
    /// Its ARN.
    arn: String,
    /// Its runtime, such as `python3.13`; none for container images.
    runtime: Option<String>,
    /// Its handler; none for container images.
    handler: Option<String>,
    /// What it is for.
    description: String,
    /// When it was last changed.
    last_modified: String,
    /// Its memory in megabytes.
    memory_size: Option<i32>,
    /// The longest that it may run, in seconds.
    timeout: Option<i32>,
}

impl StepKind for ListFunctions {
    const NAME: &'static str = "list-functions";
    const CALLS: &'static [&'static str] = &["lambda:ListFunctions"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: listed
  list-functions: {max_items: 10}
  assert: result.count <= 10
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if input.max_items == 0 {
            return Err(StepError::input(
                "max_items",
                "`max_items` must be at least 1",
                "leave it out to list up to 50",
            ));
        }
        let mut functions = Vec::new();
        let mut marker = None;
        while functions.len() < input.max_items {
            let wanted = (input.max_items - functions.len()).min(PAGE);
            let request = cx
                .aws
                .lambda()
                .list_functions()
                .max_items(i32::try_from(wanted).unwrap_or(i32::MAX))
                .set_marker(marker);
            let page =
                cx.aws.call(request.send(), || Ok(ListFunctionsOutput::builder().build())).await?;
            functions.extend(page.functions.unwrap_or_default().into_iter().map(listed));
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        // A page may hold more than was asked for.
        functions.truncate(input.max_items);
        Ok(Output { count: functions.len(), functions })
    }
}

fn listed(configuration: FunctionConfiguration) -> Listed {
    Listed {
        runtime: configuration.runtime().map(|runtime| runtime.as_str().to_owned()),
        function_name: configuration.function_name.unwrap_or_default(),
        arn: configuration.function_arn.unwrap_or_default(),
        handler: configuration.handler,
        description: configuration.description.unwrap_or_default(),
        last_modified: configuration.last_modified.unwrap_or_default(),
        memory_size: configuration.memory_size,
        timeout: configuration.timeout,
    }
}
