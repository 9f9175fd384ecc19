//! Where the members of a request stand.

/// A call of a protocol that spreads its members over path, query and headers.
pub(super) struct Route {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    /// Members in braces; with a plus, one that takes all that is left, slashes at the end too.
    pub(super) path: &'static str,
    /// The member that is the whole body.
    pub(super) payload: Option<&'static str>,
}

const fn lambda(operation: &'static str, path: &'static str) -> Route {
    Route { service: "lambda", operation, path, payload: None }
}

const fn s3(operation: &'static str, path: &'static str) -> Route {
    Route { service: "s3", operation, path, payload: None }
}

/// Where the members of calls stand in their paths, as the API references say:
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html>
pub(super) const ROUTES: &[Route] = &[
    lambda("CreateFunction", "/2015-03-31/functions"),
    lambda("ListFunctions", "/2015-03-31/functions"),
    lambda("GetFunction", "/2015-03-31/functions/{FunctionName}"),
    lambda("DeleteFunction", "/2015-03-31/functions/{FunctionName}"),
    lambda("UpdateFunctionCode", "/2015-03-31/functions/{FunctionName}/code"),
    lambda("GetFunctionConfiguration", "/2015-03-31/functions/{FunctionName}/configuration"),
    lambda("UpdateFunctionConfiguration", "/2015-03-31/functions/{FunctionName}/configuration"),
    Route {
        service: "lambda",
        operation: "Invoke",
        path: "/2015-03-31/functions/{FunctionName}/invocations",
        payload: Some("Payload"),
    },
    lambda("GetPolicy", "/2015-03-31/functions/{FunctionName}/policy"),
    lambda("AddPermission", "/2015-03-31/functions/{FunctionName}/policy"),
    lambda("RemovePermission", "/2015-03-31/functions/{FunctionName}/policy/{StatementId}"),
    lambda("PublishVersion", "/2015-03-31/functions/{FunctionName}/versions"),
    lambda("ListVersionsByFunction", "/2015-03-31/functions/{FunctionName}/versions"),
    lambda("CreateAlias", "/2015-03-31/functions/{FunctionName}/aliases"),
    lambda("GetAlias", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"),
    lambda("UpdateAlias", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"),
    lambda("DeleteAlias", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"),
    lambda("CreateEventSourceMapping", "/2015-03-31/event-source-mappings"),
    lambda("ListEventSourceMappings", "/2015-03-31/event-source-mappings"),
    lambda("GetEventSourceMapping", "/2015-03-31/event-source-mappings/{UUID}"),
    lambda("UpdateEventSourceMapping", "/2015-03-31/event-source-mappings/{UUID}"),
    lambda("DeleteEventSourceMapping", "/2015-03-31/event-source-mappings/{UUID}"),
    lambda("ListTags", "/2017-03-31/tags/{Resource}"),
    lambda("TagResource", "/2017-03-31/tags/{Resource}"),
    lambda("UntagResource", "/2017-03-31/tags/{Resource}"),
    lambda("PutFunctionConcurrency", "/2017-10-31/functions/{FunctionName}/concurrency"),
    lambda("DeleteFunctionConcurrency", "/2017-10-31/functions/{FunctionName}/concurrency"),
    lambda(
        "PutFunctionEventInvokeConfig",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    ),
    lambda(
        "GetFunctionEventInvokeConfig",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    ),
    lambda(
        "DeleteFunctionEventInvokeConfig",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    ),
    s3("CreateBucket", "/{Bucket}"),
    s3("HeadBucket", "/{Bucket}"),
    s3("DeleteBucket", "/{Bucket}"),
    s3("GetBucketTagging", "/{Bucket}"),
    s3("PutBucketTagging", "/{Bucket}"),
    s3("PutBucketNotificationConfiguration", "/{Bucket}"),
    s3("GetBucketNotificationConfiguration", "/{Bucket}"),
    s3("ListObjectsV2", "/{Bucket}"),
    s3("ListObjectVersions", "/{Bucket}"),
    s3("HeadObject", "/{Bucket}/{Key+}"),
    s3("GetObject", "/{Bucket}/{Key+}"),
    s3("DeleteObject", "/{Bucket}/{Key+}"),
    Route {
        service: "s3",
        operation: "PutObject",
        path: "/{Bucket}/{Key+}",
        payload: Some("Body"),
    },
];

/// Headers that are members, and the members.
pub(super) const HEADERS: &[(&str, &str)] = &[
    ("x-amz-invocation-type", "InvocationType"),
    ("x-amz-log-type", "LogType"),
    ("x-amz-client-context", "ClientContext"),
    ("x-amz-tagging", "Tagging"),
    ("if-match", "IfMatch"),
    ("if-none-match", "IfNoneMatch"),
    ("content-type", "ContentType"),
];

/// How headers begin that are entries of the member `Metadata`.
pub(super) const METADATA: &str = "x-amz-meta-";

/// Parts of queries that are called otherwise than their members; those without one belong to the protocol.
pub(super) const QUERIES: &[(&str, &str)] = &[
    ("list-type", ""),
    ("x-id", ""),
    ("max-keys", "MaxKeys"),
    ("prefix", "Prefix"),
    ("delimiter", "Delimiter"),
    ("continuation-token", "ContinuationToken"),
    ("versionId", "VersionId"),
];
