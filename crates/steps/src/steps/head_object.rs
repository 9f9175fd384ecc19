//! `head-object`: what S3 says of an object without its bytes.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::DateTimeFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `head-object`.
pub struct HeadObject;

/// Looks at an object without its bytes. The error code of one that is not there is `NotFound`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket.
    bucket: String,
    /// The object's key, as it is.
    key: String,
    /// One of its versions, instead of the latest.
    version_id: Option<String>,
}

/// What S3 says of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// Its media type.
    content_type: String,
    /// Its bytes.
    size: i64,
    /// Its entity tag, in quotes.
    e_tag: String,
    /// When it was written.
    last_modified: String,
    /// Its own metadata, by name.
    metadata: BTreeMap<String, String>,
    /// Its version, where the bucket has versions.
    version_id: Option<String>,
}

impl StepKind for HeadObject {
    const NAME: &'static str = "head-object";
    const CALLS: &'static [&'static str] = &["s3:HeadObject"];
    const PERMISSIONS: &'static [&'static str] = &["s3:GetObject", "s3:ListBucket"];
    const EXAMPLE: &'static str = "\
- id: photo
  head-object: {bucket: my-bucket, key: photos/first.jpg}
  assert: result.content_type == \"image/jpeg\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = cx
            .aws
            .s3()
            .head_object()
            .bucket(&input.bucket)
            .key(&input.key)
            .set_version_id(input.version_id);
        let placeholder = || Ok(HeadObjectOutput::builder().build());
        let found = cx.aws.call(request.send(), placeholder).await?;
        let modified = found.last_modified.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok());
        Ok(Output {
            content_type: found.content_type.unwrap_or_default(),
            size: found.content_length.unwrap_or_default(),
            e_tag: found.e_tag.unwrap_or_default(),
            last_modified: modified.unwrap_or_default(),
            metadata: found.metadata.unwrap_or_default().into_iter().collect(),
            version_id: found.version_id,
        })
    }
}
