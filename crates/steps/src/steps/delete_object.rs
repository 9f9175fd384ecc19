//! `delete-object`: an object that the run has put there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::object::{self, Object};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `delete-object`.
pub struct DeleteObject;

/// Deletes an object that this run has put there.
///
/// Any other is an error, and left alone: S3 without versions has no way back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket.
    bucket: String,
    /// The object's key, as it is.
    key: String,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The bucket.
    #[schemars(extend("x-known" = true))]
    bucket: String,
    /// The object's key.
    #[schemars(extend("x-known" = true))]
    key: String,
}

impl StepKind for DeleteObject {
    const NAME: &'static str = "delete-object";
    const CALLS: &'static [&'static str] = &["s3:HeadObject", "s3:DeleteObject"];
    const PERMISSIONS: &'static [&'static str] =
        &["s3:GetObject", "s3:ListBucket", "s3:DeleteObject"];
    const EXAMPLE: &'static str = "\
- delete-object: {bucket: \"{{ steps.bucket.bucket }}\", key: photos/first.jpg}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let Input { bucket, key } = input;
        let wanted = Object { bucket: bucket.clone(), key: key.clone() };
        object::remove(&cx, &wanted).await?;
        cx.settle::<Object>(|object| object.bucket == bucket && object.key == key)?;
        Ok(Output { bucket, key })
    }
}
