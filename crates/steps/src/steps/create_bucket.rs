//! `create-bucket`: an S3 bucket.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::bucket::{self, Bucket};
use engine::step::resource::partition_of;
use engine::step::{Context, StepError, StepKind};

/// `create-bucket`.
pub struct CreateBucket;

/// Creates an S3 bucket.
///
/// A bucket of that name that is there already is an error, whoever owns it. The clean-up deletes the bucket once the objects that the
/// run put into it are gone; other objects keep it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket's name, unique in all of AWS: small letters, digits, hyphens.
    #[schemars(extend("x-form" = "bucket-name"))]
    bucket: String,
    /// Tags beside the run's own.
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// What the bucket is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The bucket's name.
    #[schemars(extend("x-known" = true))]
    bucket: String,
    /// Its ARN.
    #[schemars(extend("x-known" = true))]
    arn: String,
}

impl StepKind for CreateBucket {
    const NAME: &'static str = "create-bucket";
    const CALLS: &'static [&'static str] =
        &["s3:HeadBucket", "s3:CreateBucket", "s3:GetBucketTagging"];
    const PERMISSIONS: &'static [&'static str] =
        &["s3:ListBucket", "s3:CreateBucket", "s3:TagResource", "s3:GetBucketTagging"];
    const EXAMPLE: &'static str = "\
- id: bucket
  create-bucket: {bucket: \"playbook-{{ run.id }}\"}
";

    type Input = Input;
    type Output = Output;
    type Created = Bucket;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        bucket::create(&cx, &input.bucket, &input.tags).await?;
        let partition = partition_of(&cx.run.region);
        Ok(Output { arn: format!("arn:{partition}:s3:::{}", input.bucket), bucket: input.bucket })
    }
}
