//! What S3 itself keeps with an object, beside what its writer calls it: where it is stored, how it is encrypted.

use std::collections::BTreeMap;

use super::{Context, error};
use crate::http::{Request, Response};
use crate::protocol::AwsError;

const CLASS: &str = "x-amz-storage-class";
const ENCRYPTION: &str = "x-amz-server-side-encryption";
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const KMS_CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

const CLASSES: [&str; 11] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
];

/// Headers that say how an object is kept, as requests and answers have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct System {
    class: String,
    encryption: BTreeMap<&'static str, String>,
}

impl System {
    /// What a request says of a new object.
    pub(super) fn of(request: &Request, context: &Context) -> Result<Self, AwsError> {
        check_access(request)?;
        check_lock(request)?;
        let class = request.header(CLASS).unwrap_or("STANDARD");
        if !CLASSES.contains(&class) {
            let message = "The storage class you specified is not valid";
            return Err(AwsError::bad_request("InvalidStorageClass", message)
                .with("StorageClassRequested", class));
        }
        Ok(Self { class: class.to_owned(), encryption: encryption(request, context)? })
    }

    /// Where the object is stored.
    pub(super) fn class(&self) -> &str {
        &self.class
    }

    /// Whether a copy of an object to its own place would change how it is kept.
    pub(super) fn is_asked_for(request: &Request) -> bool {
        [CLASS, ENCRYPTION, KEY, "x-amz-website-redirect-location"]
            .iter()
            .any(|name| request.header(name).is_some())
    }

    /// Whether it has to be restored before it can be read.
    pub(super) fn is_archived(&self) -> bool {
        ["GLACIER", "DEEP_ARCHIVE"].contains(&self.class.as_str())
    }

    /// An answer that says how the object is encrypted.
    pub(super) fn encrypted(&self, response: Response) -> Response {
        self.encryption
            .iter()
            .fold(response, |response, (name, value)| response.with_header(name, value))
    }

    /// An answer that says all of it; the class that everything has goes without saying.
    pub(super) fn described(&self, response: Response) -> Response {
        let response = self.encrypted(response);
        if self.class == "STANDARD" { response } else { response.with_header(CLASS, &self.class) }
    }
}

/// Buckets are their owner's alone: what would share an object is refused, as AWS refuses it.
fn check_access(request: &Request) -> Result<(), AwsError> {
    let shares = request
        .header("x-amz-acl")
        .is_some_and(|acl| !["private", "bucket-owner-full-control"].contains(&acl));
    let grants = request.headers.keys().any(|name| name.as_str().starts_with("x-amz-grant-"));
    if shares || grants {
        let message = "The bucket does not allow ACLs";
        return Err(AwsError::bad_request("AccessControlListNotSupported", message));
    }
    Ok(())
}

fn check_lock(request: &Request) -> Result<(), AwsError> {
    let locks = request.headers.keys().any(|name| name.as_str().starts_with("x-amz-object-lock-"));
    if locks {
        Err(error::invalid_request("Bucket is missing Object Lock Configuration"))
    } else {
        Ok(())
    }
}

fn encryption(
    request: &Request,
    context: &Context,
) -> Result<BTreeMap<&'static str, String>, AwsError> {
    if request
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("x-amz-server-side-encryption-customer-"))
    {
        return Err(error::not_implemented("keys of customers (SSE-C)"));
    }
    let kind = request.header(ENCRYPTION).unwrap_or("AES256");
    if !["AES256", "aws:kms", "aws:kms:dsse"].contains(&kind) {
        let message = "The encryption method specified is not supported";
        return Err(AwsError::bad_request("InvalidEncryptionAlgorithmError", message));
    }
    let mut headers = BTreeMap::from([(ENCRYPTION, kind.to_owned())]);
    if kind == "AES256" {
        if request.header(KEY).is_some() || request.header(KMS_CONTEXT).is_some() {
            return Err(error::invalid_argument(
                ENCRYPTION,
                kind,
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
            ));
        }
        return Ok(headers);
    }
    let place = format!("arn:aws:kms:{}:{}:", context.region, context.account_id);
    let key = match request.header(KEY) {
        None => format!("{place}alias/aws/s3"),
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(alias) if alias.starts_with("alias/") => format!("{place}{alias}"),
        Some(id) => format!("{place}key/{id}"),
    };
    headers.insert(KEY, key);
    if let Some(enabled) = request.header(BUCKET_KEY) {
        headers.insert(BUCKET_KEY, enabled.to_owned());
    }
    Ok(headers)
}
