//! S3's errors, in its words.

use crate::protocol::AwsError;

pub(super) fn no_such_bucket(bucket: &str) -> AwsError {
    AwsError::new(404, "NoSuchBucket", "The specified bucket does not exist")
        .with("BucketName", bucket)
}

pub(super) fn no_such_key(key: &str) -> AwsError {
    AwsError::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

pub(super) fn no_such_upload(upload_id: &str) -> AwsError {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                   completed.";
    AwsError::new(404, "NoSuchUpload", message).with("UploadId", upload_id)
}

pub(super) fn already_owned(bucket: &str) -> AwsError {
    let message =
        "Your previous request to create the named bucket succeeded and you already own it.";
    AwsError::new(409, "BucketAlreadyOwnedByYou", message).with("BucketName", bucket)
}

pub(super) fn not_empty(bucket: &str) -> AwsError {
    AwsError::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
        .with("BucketName", bucket)
}

pub(super) fn invalid_bucket_name(bucket: &str) -> AwsError {
    AwsError::bad_request("InvalidBucketName", "The specified bucket is not valid.")
        .with("BucketName", bucket)
}

pub(super) fn precondition_failed(condition: &str) -> AwsError {
    let message = "At least one of the pre-conditions you specified did not hold";
    AwsError::new(412, "PreconditionFailed", message).with("Condition", condition)
}

pub(super) fn invalid_argument(name: &str, value: &str, message: &str) -> AwsError {
    AwsError::bad_request("InvalidArgument", message)
        .with("ArgumentName", name)
        .with("ArgumentValue", value)
}

pub(super) fn invalid_request(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidRequest", message)
}

pub(super) fn malformed_xml() -> AwsError {
    let message =
        "The XML you provided was not well-formed or did not validate against our published schema";
    AwsError::bad_request("MalformedXML", message)
}

pub(super) fn method_not_allowed(method: &str) -> AwsError {
    let message = "The specified method is not allowed against this resource.";
    AwsError::new(405, "MethodNotAllowed", message).with("Method", method)
}

pub(super) fn not_implemented(what: &str) -> AwsError {
    let message = format!(
        "A header or query you provided implies functionality that is not implemented. The local AWS of playbook does not \
         support {what}."
    );
    AwsError::new(501, "NotImplemented", message)
}
