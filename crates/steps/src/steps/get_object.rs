//! `get-object`: an object and its bytes.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `get-object`.
pub struct GetObject;

/// Reads an object. The error code of one that is not there is `NoSuchKey`.
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

/// The object.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// What is in it, if that is text.
    body: Option<String>,
    /// What is in it, in base64, if that is no text.
    base64: Option<String>,
    /// Its media type.
    content_type: String,
    /// Its bytes.
    size: usize,
    /// Its entity tag, in quotes.
    e_tag: String,
}

impl StepKind for GetObject {
    const NAME: &'static str = "get-object";
    const CALLS: &'static [&'static str] = &["s3:GetObject"];
    const PERMISSIONS: &'static [&'static str] = &["s3:GetObject", "s3:ListBucket"];
    const EXAMPLE: &'static str = "\
- id: notes
  get-object: {bucket: my-bucket, key: notes/first.txt}
- print: \"{{ steps.notes.body }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = cx
            .aws
            .s3()
            .get_object()
            .bucket(&input.bucket)
            .key(&input.key)
            .set_version_id(input.version_id);
        let placeholder = || Ok(GetObjectOutput::builder().build());
        let found = cx.aws.call(request.send(), placeholder).await?;
        // A body that breaks off, or whose checksum is not the one that S3 has, is found out while it is read.
        let bytes = found.body.collect().await.map_err(|error| {
            StepError::failed(
                "BodyNotRead",
                format!("the object cannot be read to its end: {error}"),
            )
        })?;
        let bytes = bytes.to_vec();
        let size = bytes.len();
        let (body, base64) = match String::from_utf8(bytes) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(BASE64_STANDARD.encode(error.as_bytes()))),
        };
        Ok(Output {
            body,
            base64,
            content_type: found.content_type.unwrap_or_default(),
            size,
            e_tag: found.e_tag.unwrap_or_default(),
        })
    }
}
