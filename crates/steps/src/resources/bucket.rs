//! S3 buckets.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::create_bucket::CreateBucketOutput;
use aws_sdk_s3::operation::delete_bucket::DeleteBucketOutput;
use aws_sdk_s3::operation::get_bucket_tagging::GetBucketTaggingOutput;
use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Tag};
use aws_smithy_types::error::operation::BuildError;
use serde::{Deserialize, Serialize};

use super::creation::{self, Creation, Unique};
use super::ownership::{run_tag, run_tags};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Owner, Place, Resource, RunFacts, StepError, Undone};

/// A bucket that the run made.
#[derive(Serialize, Deserialize)]
pub struct Bucket {
    bucket: String,
}

/// A bucket has no other id than its name.
#[derive(Serialize, Deserialize)]
pub struct BucketIds {}

/// The region whose buckets have no location, and in which S3 does not refuse to make a bucket again.
const FIRST_REGION: &str = "us-east-1";

/// Creates a bucket.
pub(crate) async fn create(
    cx: &Context,
    name: &str,
    tags: &BTreeMap<String, String>,
) -> Result<(), StepError> {
    // Where S3 does not refuse to make a bucket again, only a look before tells that it was there.
    if is_there(cx, name, false).await? {
        return Err(exists(name));
    }
    let configuration = configuration(cx, tags)
        .map_err(|error| StepError::failed("InvalidInput", error.to_string()))?;
    // A bucket of that name is being deleted still.
    let passes = |error: &CallError| error.is("OperationAborted");
    let call = cx.while_refused(Backoff::seconds(120), passes, || {
        let request = cx
            .aws
            .s3()
            .create_bucket()
            .bucket(name)
            .create_bucket_configuration(configuration.clone());
        cx.aws.call(request.send(), || Ok(CreateBucketOutput::builder().build()))
    });
    // In the first region, S3 says that it has made a bucket which was there before, too.
    let proof = cx.run.region != FIRST_REGION;
    let ids = |_: &CreateBucketOutput| proof.then_some(BucketIds {});
    match creation::create(cx, &Bucket { bucket: name.to_owned() }, call, ids).await? {
        Creation::Created(_) | Creation::Found(()) => Ok(()),
        Creation::Taken(..) => Err(exists(name)),
    }
}

impl Unique for Bucket {
    /// A bucket has nothing to tell but its tags.
    type Found = ();
    const LOOKED_BEFORE: bool = true;

    fn is_taken(error: &CallError) -> bool {
        error.is("BucketAlreadyOwnedByYou")
    }

    fn is_same(&self, other: &Self) -> bool {
        self.bucket == other.bucket
    }

    /// That there is one was said already.
    async fn find(&self, _cx: &Context) -> Result<Option<()>, StepError> {
        Ok(Some(()))
    }

    /// Tells as soon as the tags do. Where somebody else made the bucket and gave it no tags, they never do.
    async fn whose(&self, cx: &Context, (): &()) -> Result<Owner, StepError> {
        let what = format!("the tags of the bucket {}", self.bucket);
        cx.until(&what, Backoff::seconds(60), || async {
            let tags = tags(cx, &self.bucket).await?.unwrap_or_default();
            Ok((!tags.is_empty()).then(|| match owner(cx, &tags) {
                Owner::Unknown => Owner::Somebody,
                owner => owner,
            }))
        })
        .await
    }

    fn ids((): &()) -> BucketIds {
        BucketIds {}
    }
}

fn exists(name: &str) -> StepError {
    StepError::Failed {
        code: "BucketAlreadyExists".to_owned(),
        message: format!("there is a bucket {name} already"),
        help: Some(
            "choose another name, such as one with `{{ run.id }}` in it; the bucket that is there was not touched"
                .to_owned(),
        ),
        details: Vec::new(),
    }
}

fn configuration(
    cx: &Context,
    given: &BTreeMap<String, String>,
) -> Result<CreateBucketConfiguration, BuildError> {
    let region = cx.run.region.as_str();
    let location = (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region));
    let tags = given.clone().into_iter().chain(run_tags(cx));
    let tags: Result<Vec<Tag>, _> =
        tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    Ok(CreateBucketConfiguration::builder()
        .set_location_constraint(location)
        .set_tags(Some(tags?))
        .build())
}

/// Whether there is a bucket of that name, anybody's; a dry run sees what is `planned`.
async fn is_there(cx: &Context, name: &str, planned: bool) -> Result<bool, StepError> {
    let mut there = true;
    let placeholder = || {
        there = planned;
        Ok(HeadBucketOutput::builder().build())
    };
    let request = cx.aws.s3().head_bucket().bucket(name);
    match cx.aws.call(request.send(), placeholder).await {
        Ok(_) => Ok(there),
        Err(error) if error.is("NotFound") => Ok(false),
        // Somebody else's, or one of another region: neither answers what its name alone cannot tell.
        Err(error) if matches!(error.status, Some(301 | 403)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The tags of a bucket, if there is one; a dry run sees those of a bucket that the run has made.
async fn tags(cx: &Context, name: &str) -> Result<Option<Vec<Tag>>, CallError> {
    let placeholder = || {
        let (key, value) = run_tag(cx);
        let tag = Tag::builder().key(key).value(value).build()?;
        GetBucketTaggingOutput::builder().tag_set(tag).build()
    };
    let request = cx.aws.s3().get_bucket_tagging().bucket(name);
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(Some(output.tag_set)),
        Err(error) if error.is("NoSuchBucket") => Ok(None),
        Err(error) if error.is("NoSuchTagSet") => Ok(Some(Vec::new())),
        Err(error) => Err(error),
    }
}

fn owner(cx: &Context, tags: &[Tag]) -> Owner {
    let tag = tags.iter().find(|tag| tag.key() == RunFacts::TAG_KEY);
    Owner::of(cx, tag.map(Tag::value))
}

impl Resource for Bucket {
    const TYPE: &'static str = "AWS::S3::Bucket";
    const UNDO: &'static [&'static str] =
        &["s3:GetBucketTagging", "s3:DeleteBucket", "s3:ListBucket"];
    type Ids = BucketIds;

    fn label(&self) -> String {
        self.bucket.clone()
    }

    fn arn(&self, place: &Place<'_>) -> Option<String> {
        Some(format!("arn:{}:s3:::{}", place.partition(), self.bucket))
    }

    async fn undo(self, cx: Context, _ids: Option<BucketIds>) -> Result<Undone, StepError> {
        let Some(tags) = tags(&cx, &self.bucket).await? else {
            return Ok(Undone::AlreadyGone);
        };
        if let Some(spared) = owner(&cx, &tags).spared(&cx) {
            return Ok(spared);
        }
        let request = cx.aws.s3().delete_bucket().bucket(&self.bucket);
        match cx.aws.call(request.send(), || Ok(DeleteBucketOutput::builder().build())).await {
            Ok(_) => {}
            Err(error) if error.is("NoSuchBucket") => return Ok(Undone::AlreadyGone),
            Err(error) if error.is("BucketNotEmpty") => {
                return Err(not_empty(&cx, &self.bucket).await?);
            }
            Err(error) => return Err(error.into()),
        }
        let what = format!("the deletion of the bucket {}", self.bucket);
        cx.until(&what, Backoff::seconds(120), || async {
            Ok((!is_there(&cx, &self.bucket, false).await?).then_some(()))
        })
        .await?;
        Ok(Undone::Deleted)
    }
}

/// What is in a bucket that the run did not put there.
async fn not_empty(cx: &Context, name: &str) -> Result<StepError, StepError> {
    const SHOWN: usize = 3;
    let request = cx.aws.s3().list_objects_v2().bucket(name).max_keys(100);
    let found = cx.aws.call(request.send(), || Ok(ListObjectsV2Output::builder().build())).await?;
    let keys: Vec<&str> = found.contents().iter().filter_map(|object| object.key()).collect();
    let mut shown = keys.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if keys.len() > SHOWN {
        let more = if found.is_truncated() == Some(true) { " at least" } else { "" };
        shown = format!("{shown} and{more} {} more", keys.len() - SHOWN);
    }
    Ok(StepError::Failed {
        code: "BucketNotEmpty".to_owned(),
        message: format!("it holds what this run did not put there: {shown}"),
        help: Some(format!(
            "empty it with `aws s3 rm s3://{name} --recursive`, then clean up again"
        )),
        details: Vec::new(),
    })
}
