//! `list-objects`: what is in a bucket.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::DateTimeFormat;
use aws_sdk_s3::types::Object;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `list-objects`.
pub struct ListObjects;

/// Lists the objects of a bucket by their keys, page after page.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket.
    bucket: String,
    /// How the keys begin; all when absent.
    prefix: Option<String>,
    /// What ends a folder, such as `/`: what lies deeper is not listed, but counted among `common_prefixes`.
    delimiter: Option<String>,
    /// How many objects at most.
    #[serde(default = "most")]
    #[schemars(range(min = 1, max = 10000))]
    limit: usize,
}

fn most() -> usize {
    1000
}

/// What is there.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The objects, by their keys.
    objects: Vec<Listed>,
    /// How many they are.
    count: usize,
    /// The beginnings, up to the delimiter, that several keys share.
    common_prefixes: Vec<String>,
    /// Whether there are more than were asked for.
    truncated: bool,
}

/// One object.
#[derive(Serialize, JsonSchema)]
struct Listed {
    /// Its key.
    key: String,
    /// Its bytes.
    size: i64,
    /// Its entity tag, in quotes.
    e_tag: String,
    /// When it was written.
    last_modified: String,
}

impl Listed {
    fn of_sdk(object: Object) -> Self {
        let modified = object.last_modified.and_then(|it| it.fmt(DateTimeFormat::DateTime).ok());
        Self {
            key: object.key.unwrap_or_default(),
            size: object.size.unwrap_or_default(),
            e_tag: object.e_tag.unwrap_or_default(),
            last_modified: modified.unwrap_or_default(),
        }
    }
}

/// What S3 lists in one answer.
const PAGE: usize = 1000;

impl StepKind for ListObjects {
    const NAME: &'static str = "list-objects";
    const CALLS: &'static [&'static str] = &["s3:ListObjectsV2"];
    const PERMISSIONS: &'static [&'static str] = &["s3:ListBucket"];
    const EXAMPLE: &'static str = "\
- id: photos
  list-objects: {bucket: my-bucket, prefix: photos/}
  assert: result.count > 0
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let (mut objects, mut common_prefixes, mut token) = (Vec::new(), Vec::new(), None);
        let mut truncated = false;
        while objects.len() < input.limit {
            let page = (input.limit - objects.len()).min(PAGE);
            let request = cx
                .aws
                .s3()
                .list_objects_v2()
                .bucket(&input.bucket)
                .set_prefix(input.prefix.clone())
                .set_delimiter(input.delimiter.clone())
                .max_keys(i32::try_from(page).unwrap_or(i32::MAX))
                .set_continuation_token(token.take());
            let placeholder = || Ok(ListObjectsV2Output::builder().build());
            let found = cx.aws.call(request.send(), placeholder).await?;
            let prefixes = found.common_prefixes.unwrap_or_default().into_iter();
            common_prefixes.extend(prefixes.filter_map(|it| it.prefix));
            objects.extend(found.contents.unwrap_or_default().into_iter().map(Listed::of_sdk));
            token = found.next_continuation_token;
            truncated = token.is_some();
            if !truncated {
                break;
            }
        }
        Ok(Output { count: objects.len(), objects, common_prefixes, truncated })
    }
}
