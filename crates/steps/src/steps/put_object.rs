//! `put-object`: an object in an S3 bucket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_sdk_s3::primitives::ByteStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::object::{self, Object};
use engine::regular_file;
use engine::step::context::Progress;
use engine::step::{Context, StepError, StepKind};

/// `put-object`.
pub struct PutObject;

/// Puts an object into an S3 bucket.
///
/// An object of that key that is there already is an error: it is never overwritten. The object says in its metadata, under
/// `playbook-run`, which run it belongs to; the clean-up deletes it as long as it is still the one that the run put there.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket.
    bucket: String,
    /// The object's key, as it is: nothing of it is encoded.
    key: String,
    /// What is in it: text as it is, anything else as JSON.
    body: Option<Value>,
    /// A file to put there, instead of `body`.
    #[schemars(extend("x-file" = true, "x-no-directory" = true))]
    file: Option<String>,
    /// Its media type, such as `text/plain`.
    content_type: Option<String>,
    /// Metadata beside the run's own, by name.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// What the object is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The bucket.
    #[schemars(extend("x-known" = true))]
    bucket: String,
    /// The object's key.
    #[schemars(extend("x-known" = true))]
    key: String,
    /// Its bytes.
    #[schemars(extend("x-known" = true))]
    size: u64,
    /// Its entity tag, in quotes.
    e_tag: String,
    /// Its version, where the bucket has versions.
    version_id: Option<String>,
}

impl StepKind for PutObject {
    const NAME: &'static str = "put-object";
    const CALLS: &'static [&'static str] = &["s3:PutObject", "s3:HeadObject"];
    const PERMISSIONS: &'static [&'static str] = &["s3:PutObject", "s3:GetObject", "s3:ListBucket"];
    const EXAMPLE: &'static str = "\
- put-object:
    bucket: \"{{ steps.bucket.bucket }}\"
    key: notes/first.txt
    body: Hello
    content_type: text/plain
";

    type Input = Input;
    type Output = Output;
    type Created = Object;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let body = body(&cx, &input).await?;
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let object = Object { bucket: input.bucket, key: input.key };
        let request = || {
            let request = cx.aws.s3().put_object().body(ByteStream::from(body.clone()));
            request.set_content_type(input.content_type.clone())
        };
        let made = object::create(&cx, &object, &input.metadata, request).await?;
        let Object { bucket, key } = object;
        let e_tag = made.e_tag.unwrap_or_default();
        Ok(Output { bucket, key, size, e_tag, version_id: made.version_id })
    }
}

async fn body(cx: &Context, input: &Input) -> Result<Vec<u8>, StepError> {
    match (&input.body, &input.file) {
        (Some(Value::String(text)), None) => Ok(text.clone().into_bytes()),
        (Some(data), None) => Ok(data.to_string().into_bytes()),
        (None, Some(file)) => read(cx, file).await.map_err(|message| {
            let help =
                "give the path of a file, relative to the playbook, in the playbook's repository";
            StepError::input("file", message, help)
        }),
        _ => Err(StepError::input(
            "body",
            "put-object needs either `body` or `file`",
            "write `body: text`, or `file:` and the path of a file",
        )),
    }
}

/// It is held in memory until it has arrived.
const LARGEST_FILE: u64 = 1 << 30;

/// Reads a file, as long as it lies under the playbook's root.
async fn read(cx: &Context, path: &str) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file `{path}`"),
        _ => format!("`{path}` cannot be read: {error}"),
    };
    let root = real(&cx.root).await.map_err(unreadable)?;
    let file = real(&cx.directory.join(path)).await.map_err(unreadable)?;
    if !file.starts_with(&root) {
        return Err(format!("`{path}` leads out of the playbook's directory"));
    }
    let body = regular_file::read(&file, LARGEST_FILE).map_err(unreadable)?;
    cx.plan(Progress::Uploads { file: path.to_owned(), path: file });
    Ok(body)
}

async fn real(path: &Path) -> std::io::Result<PathBuf> {
    tokio::fs::canonicalize(path).await
}
