//! `AWS::S3::BucketPolicy`

use std::collections::BTreeMap;

use serde_json::json;

use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::document;
use crate::cloudformation::resource_type::{Order, Removal, ResourceType};
use crate::protocol::AwsError;

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::S3::BucketPolicy",
    service: "S3",
    attributes: &[],
    properties: &["Bucket", "PolicyDocument"],
    required: &["Bucket", "PolicyDocument"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let bucket = order.required("Bucket")?;
    let policy = order.properties.get("PolicyDocument").map(document).unwrap_or_default();
    let input = json!({"Bucket": bucket, "Policy": policy});
    order.client.operation("s3:PutBucketPolicy", &input).await?;
    Ok(CreatedResource { physical_id: bucket, attributes: BTreeMap::new() })
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    let input = json!({"Bucket": removal.physical_id});
    match removal.client.operation("s3:DeleteBucketPolicy", &input).await {
        Err(error) if error.code != "NoSuchBucket" => Err(error),
        _ => Ok(()),
    }
}
