//! `put-object`: an object in an S3 bucket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use engine::aws::{CallError, Outcome};
use engine::regular_file;
use engine::step::context::{Backoff, Progress};
use engine::step::{Context, Resource, StepError, StepKind, Undone};

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

/// An object that the run put into a bucket.
#[derive(Serialize, Deserialize)]
pub struct Object {
    bucket: String,
    key: String,
}

/// What tells this object from a later one of the same key.
#[derive(Serialize, Deserialize)]
pub struct ObjectIds {
    e_tag: Option<String>,
    version_id: Option<String>,
}

/// The name in an object's metadata under which it says whose it is.
const RUN: &str = "playbook-run";

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
        let made = put(&cx, &input, body).await?;
        Ok(Output {
            bucket: input.bucket,
            key: input.key,
            size,
            e_tag: made.e_tag.unwrap_or_default(),
            version_id: made.version_id,
        })
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
    if cx.aws.is_dry_run() {
        (cx.progress)(Progress::Uploads { file: path.to_owned(), path: file });
    }
    Ok(body)
}

async fn real(path: &Path) -> std::io::Result<PathBuf> {
    tokio::fs::canonicalize(path).await
}

async fn put(cx: &Context, input: &Input, body: Vec<u8>) -> Result<ObjectIds, StepError> {
    let object = Object { bucket: input.bucket.clone(), key: input.key.clone() };
    let entry = cx.intend(&object)?;
    let mut metadata = input.metadata.clone();
    metadata.insert(RUN.to_owned(), cx.run.id.clone());
    // Somebody else puts an object of that key there at the same moment.
    let passes = |error: &CallError| error.is("ConditionalRequestConflict");
    let result = cx
        .while_refused(Backoff::seconds(30), passes, || {
            let request = cx
                .aws
                .s3()
                .put_object()
                .bucket(&input.bucket)
                .key(&input.key)
                .if_none_match("*")
                .set_content_type(input.content_type.clone())
                .set_metadata(Some(metadata.clone().into_iter().collect()))
                .body(ByteStream::from(body.clone()));
            let e_tag = cx.later("e_tag");
            cx.aws.call(request.send(), || Ok(PutObjectOutput::builder().e_tag(e_tag).build()))
        })
        .await;
    let ids = match result {
        Ok(output) => ObjectIds { e_tag: output.e_tag, version_id: output.version_id },
        Err(StepError::Call(error)) if error.is("PreconditionFailed") => {
            let earlier = cx.made_before(&entry, |other: &Object| {
                other.bucket == object.bucket && other.key == object.key
            });
            if error.outcome == Outcome::Refused || earlier {
                entry.refused("PreconditionFailed")?;
                return Err(exists(&object));
            }
            match look(cx, &object, None).await {
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                Ok(Some(there)) if is_ours(cx, &there) => {
                    ObjectIds { e_tag: there.e_tag, version_id: there.version_id }
                }
                Ok(_) => return Err(entry.unsure(exists(&object))),
                Err(_) => return Err(entry.error(error)),
            }
        }
        Err(error) => return Err(entry.error(error)),
    };
    entry.done(&ids)?;
    Ok(ids)
}

fn exists(object: &Object) -> StepError {
    StepError::Failed {
        code: "PreconditionFailed".to_owned(),
        message: format!(
            "there is an object {} in the bucket {} already",
            object.key, object.bucket
        ),
        help: Some("choose another key; the object that is there was not touched".to_owned()),
        details: Vec::new(),
    }
}

/// Looks at an object, if it is there; a dry run sees one that the run has put there.
async fn look(
    cx: &Context,
    object: &Object,
    version_id: Option<String>,
) -> Result<Option<HeadObjectOutput>, CallError> {
    let request = cx
        .aws
        .s3()
        .head_object()
        .bucket(&object.bucket)
        .key(&object.key)
        .set_version_id(version_id);
    let placeholder = || Ok(HeadObjectOutput::builder().metadata(RUN, &cx.run.id).build());
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.is("NotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_ours(cx: &Context, object: &HeadObjectOutput) -> bool {
    object.metadata().and_then(|metadata| metadata.get(RUN)) == Some(&cx.run.id)
}

impl Resource for Object {
    const TYPE: &'static str = "AWS::S3::Object";
    const UNDO: &'static [&'static str] = &[
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
    ];
    type Ids = ObjectIds;

    fn label(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }

    async fn undo(self, cx: Context, ids: Option<ObjectIds>) -> Result<Undone, StepError> {
        let (e_tag, version_id) = ids.map(|ids| (ids.e_tag, ids.version_id)).unwrap_or_default();
        let Some(there) = look(&cx, &self, version_id.clone()).await? else {
            return Ok(Undone::AlreadyGone);
        };
        if !is_ours(&cx, &there) {
            let reason = format!("its metadata does not say {RUN}={}", cx.run.id);
            return Ok(Undone::NotOurs { reason });
        }
        let known = e_tag.filter(|tag| !tag.contains('⟨'));
        if known.is_some_and(|known| there.e_tag() != Some(known.as_str())) {
            return Ok(Undone::Changed { reason: "it was written again since".to_owned() });
        }
        delete(&cx, &self, version_id.or_else(|| there.version_id.clone()), there.e_tag).await
    }
}

/// Deletes an object as long as it is still the one that was seen. Where the bucket has versions, only the run's own goes,
/// which nobody can have changed, and the one before is there again.
async fn delete(
    cx: &Context,
    object: &Object,
    version_id: Option<String>,
    e_tag: Option<String>,
) -> Result<Undone, StepError> {
    let unchanged = e_tag.filter(|_| version_id.is_none());
    // Somebody else puts an object of that key there at the same moment.
    let passes = |error: &CallError| error.is("ConditionalRequestConflict");
    let deleted = cx
        .while_refused(Backoff::seconds(30), passes, || {
            let request = cx
                .aws
                .s3()
                .delete_object()
                .bucket(&object.bucket)
                .key(&object.key)
                .set_version_id(version_id.clone())
                .set_if_match(unchanged.clone());
            cx.aws.call(request.send(), || Ok(DeleteObjectOutput::builder().build()))
        })
        .await;
    match deleted {
        Ok(_) => Ok(Undone::Deleted),
        Err(error) if error.is("NoSuchBucket") || error.is("NoSuchKey") => Ok(Undone::AlreadyGone),
        Err(error) if error.is("PreconditionFailed") => {
            Ok(Undone::Changed { reason: "it was written again since".to_owned() })
        }
        Err(error) => Err(error),
    }
}
