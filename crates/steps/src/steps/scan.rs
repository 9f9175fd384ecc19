//! `scan`: the items of a DynamoDB table.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::scan::ScanOutput;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::resources::items::attribute_value::Plain;
use crate::resources::items::page::{Found, Output, values};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `scan`.
pub struct Scan;

/// Reads the items of a DynamoDB table, all pages of them, or those that a filter lets through.
///
/// What comes back is plain data, as `put-item` takes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The table's name.
    table_name: String,
    /// The name of an index, to read that instead.
    index_name: Option<String>,
    /// Which items, such as `UserName = :name`.
    #[schemars(extend("x-expression" = true))]
    filter_expression: Option<String>,
    /// What `#names` in the expression stand for.
    expression_attribute_names: Option<HashMap<String, String>>,
    /// What `:values` in the expression stand for.
    expression_attribute_values: Option<Plain>,
    /// How many items at most.
    #[schemars(range(min = 1))]
    limit: Option<usize>,
    /// Whether values are written, and items returned, in DynamoDB's own notation.
    #[serde(default)]
    typed: bool,
    /// Whether to see every write that came before; not on a global index.
    #[serde(default)]
    consistent_read: bool,
}

impl StepKind for Scan {
    const NAME: &'static str = "scan";
    const CALLS: &'static [&'static str] = &["dynamodb:Scan"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: known
  scan:
    table_name: \"{{ steps.stack.outputs.TableName }}\"
    filter_expression: UserName = :name
    expression_attribute_values: {\":name\": test_user_1}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let values = values(input.expression_attribute_values.as_ref(), input.typed)?;
        let (mut found, mut start) = (Found::default(), None);
        loop {
            let request = cx
                .aws
                .dynamodb()
                .scan()
                .table_name(&input.table_name)
                .set_index_name(input.index_name.clone())
                .set_filter_expression(input.filter_expression.clone())
                .set_expression_attribute_names(input.expression_attribute_names.clone())
                .set_expression_attribute_values(values.clone())
                .consistent_read(input.consistent_read)
                .set_exclusive_start_key(start);
            let page = cx.aws.call(request.send(), || Ok(ScanOutput::builder().build())).await?;
            let scanned = page.scanned_count;
            start = found.add(page.items, scanned, page.last_evaluated_key, input.limit);
            if start.is_none() {
                return Ok(Output::of(&found, input.typed));
            }
        }
    }
}
