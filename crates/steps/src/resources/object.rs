//! Objects in S3 buckets.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use serde::{Deserialize, Serialize};

use super::creation::{self, Creation, Unique};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Owner, Place, Resource, StepError, Undone};

/// An object that the run put into a bucket.
#[derive(Serialize, Deserialize)]
pub struct Object {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// What tells this object from a later one of the same key.
#[derive(Serialize, Deserialize)]
pub struct ObjectIds {
    pub(crate) e_tag: Option<String>,
    pub(crate) version_id: Option<String>,
}

/// The name in an object's metadata under which it says whose it is.
pub(crate) const RUN: &str = "playbook-run";

/// The name under which it says that it is to stay.
pub(crate) const KEEP: &str = "playbook-keep";

/// Puts an object where none is, as `request` says.
pub(crate) async fn create(
    cx: &Context,
    object: &Object,
    metadata: &BTreeMap<String, String>,
    request: impl Fn() -> PutObjectFluentBuilder,
) -> Result<ObjectIds, StepError> {
    let mut metadata: HashMap<_, _> = metadata.clone().into_iter().collect();
    metadata.insert(RUN.to_owned(), cx.run.id.clone());
    if cx.keeps() {
        metadata.insert(KEEP.to_owned(), "true".to_owned());
    }
    // Somebody else puts an object of that key there at the same moment.
    let passes = |error: &CallError| error.is("ConditionalRequestConflict");
    let call = cx.while_refused(Backoff::seconds(30), passes, || {
        let request = request()
            .bucket(&object.bucket)
            .key(&object.key)
            .if_none_match("*")
            .set_metadata(Some(metadata.clone()));
        let e_tag = cx.later("e_tag");
        cx.aws.call(request.send(), || Ok(PutObjectOutput::builder().e_tag(e_tag).build()))
    });
    let ids = |output: &PutObjectOutput| {
        let PutObjectOutput { e_tag, version_id, .. } = output.clone();
        Some(ObjectIds { e_tag, version_id })
    };
    match creation::create(cx, object, call, ids).await? {
        Creation::Created(PutObjectOutput { e_tag, version_id, .. }) => {
            Ok(ObjectIds { e_tag, version_id })
        }
        Creation::Found(there) => Ok(Object::ids(&there)),
        Creation::Taken(..) => Err(exists(object)),
    }
}

impl Unique for Object {
    type Found = HeadObjectOutput;

    fn is_taken(error: &CallError) -> bool {
        error.is("PreconditionFailed")
    }

    fn is_same(&self, other: &Self) -> bool {
        self.bucket == other.bucket && self.key == other.key
    }

    async fn find(&self, cx: &Context) -> Result<Option<HeadObjectOutput>, StepError> {
        Ok(look(cx, self, None).await?)
    }

    async fn whose(&self, cx: &Context, found: &HeadObjectOutput) -> Result<Owner, StepError> {
        Ok(owner(cx, found))
    }

    fn ids(found: &HeadObjectOutput) -> ObjectIds {
        ObjectIds { e_tag: found.e_tag.clone(), version_id: found.version_id.clone() }
    }
}

fn owner(cx: &Context, object: &HeadObjectOutput) -> Owner {
    let run = object.metadata().and_then(|metadata| metadata.get(RUN));
    Owner::of(cx, run.map(String::as_str))
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

    fn arn(&self, place: &Place<'_>) -> Option<String> {
        Some(format!("arn:{}:s3:::{}/{}", place.partition(), self.bucket, self.key))
    }

    async fn undo(self, cx: Context, ids: Option<ObjectIds>) -> Result<Undone, StepError> {
        let known = ids.is_some();
        let (e_tag, version_id) = ids.map(|ids| (ids.e_tag, ids.version_id)).unwrap_or_default();
        let Some(there) = look(&cx, &self, version_id.clone()).await? else {
            return Ok(Undone::AlreadyGone);
        };
        let expected = e_tag.filter(|tag| !cx.is_unknown(tag));
        let differs = expected.is_some_and(|tag| there.e_tag() != Some(tag.as_str()));
        match owner(&cx, &there) {
            Owner::ThisRun if differs => {
                return Ok(Undone::Changed { reason: "it was written again since".to_owned() });
            }
            Owner::ThisRun => {}
            // An object comes with its metadata: without the run's mark it is another one, unless all else is the same.
            Owner::Unknown if known && !differs => {
                let reason = format!("its metadata does not say {RUN}={}", cx.run.id);
                return Ok(Undone::Unproven { reason });
            }
            Owner::Unknown | Owner::Somebody | Owner::AnotherRun(_) => {
                let reason = format!("its metadata does not say {RUN}={}", cx.run.id);
                return Ok(Undone::NotOurs { reason });
            }
        }
        delete(&cx, &self, version_id.or_else(|| there.version_id.clone()), there.e_tag).await
    }
}

/// Deletes an object that the run has put there, for a step of the playbook.
pub(crate) async fn remove(cx: &Context, object: &Object) -> Result<(), StepError> {
    let failed = |code: &str, message: String, help: &str| StepError::Failed {
        code: code.to_owned(),
        message,
        help: Some(help.to_owned()),
        details: Vec::new(),
    };
    let name = object.label();
    let Some(there) = look(cx, object, None).await? else {
        return Err(failed("NotFound", format!("there is no object {name}"), "look at its key"));
    };
    if !owner(cx, &there).is_this_run() {
        let message = format!("this run did not put {name} there");
        return Err(failed("ForeignObject", message, "it could not be put back afterwards"));
    }
    match delete(cx, object, None, there.e_tag).await? {
        Undone::Changed { reason } => Err(failed(
            "ForeignObject",
            format!("{name} was not deleted: {reason}"),
            "somebody else has written it at the same moment",
        )),
        _ => Ok(()),
    }
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
        // A request that arrives twice finds nothing any more.
        Err(error) if error.is("PreconditionFailed") && look(cx, object, None).await?.is_none() => {
            Ok(Undone::Deleted)
        }
        Err(error) if error.is("PreconditionFailed") => {
            Ok(Undone::Changed { reason: "it was written again since".to_owned() })
        }
        Err(error) => Err(error),
    }
}
