//! `AWS::Lambda::Permission`

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::json;

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::{text, typed};
use crate::cloudformation::resource_type::{Order, Removal, ResourceType, gone_is_deleted};
use crate::protocol::AwsError;

const SERVICE: &str = "lambda";
const PLAIN: [&str; 8] = [
    "Action",
    "EventSourceToken",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
    "Principal",
    "PrincipalOrgID",
    "SourceAccount",
    "SourceArn",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Permission",
    service: "Lambda",
    attributes: &["Id"],
    properties: &[
        "Action",
        "EventSourceToken",
        "FunctionName",
        "FunctionUrlAuthType",
        "InvokedViaFunctionUrl",
        "Principal",
        "PrincipalOrgID",
        "SourceAccount",
        "SourceArn",
    ],
    required: &["Action", "FunctionName", "Principal"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let statement = order.generated_name(100);
    let function = order.required("FunctionName")?;
    let mut input = typed(order.pick(&PLAIN), &[], &["InvokedViaFunctionUrl"]);
    input["StatementId"] = json!(statement);
    let path = ["2015-03-31", "functions", &function, "policy"];
    order.client.rest(SERVICE, Method::POST, &path, Some(&input)).await?;
    let attributes = BTreeMap::from([("Id".to_owned(), json!(statement))]);
    Ok(CreatedResource { physical_id: statement, attributes })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let function = removal.properties.get("FunctionName").and_then(text).unwrap_or_default();
    let path = ["2015-03-31", "functions", &function, "policy", removal.physical_id];
    gone_is_deleted(removal.client.rest(SERVICE, Method::DELETE, &path, None).await)
}
