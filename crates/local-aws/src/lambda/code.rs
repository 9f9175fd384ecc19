//! Where a function's code comes from: the request, or a bucket.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Method;
use serde::Deserialize;

use super::Lambda;
use super::errors::{invalid, unsupported};
use super::package::{self, PackageError};
use super::state::Code;
use crate::account::client::{Call, Caller};
use crate::http::Request;
use crate::protocol::AwsError;

/// The largest package that a request may carry; one in a bucket is held to what it unpacks to.
pub(super) const LARGEST_ZIP: usize = 52_428_800;

/// Where a function's code is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CodeSource {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    image_uri: Option<String>,
    /// What was found in the bucket.
    #[serde(skip)]
    object: Option<Bytes>,
}

impl CodeSource {
    /// The package, checked; one in a bucket must have been fetched.
    pub(super) fn load(&self) -> Result<Code, AwsError> {
        self.object()?;
        let zip = match (&self.object, &self.zip_file) {
            (Some(object), _) => object.clone(),
            (None, Some(text)) => Bytes::from(decode(text)?),
            (None, None) => return Err(invalid("Please provide a source for function code.")),
        };
        package::inspect(&zip).map_err(|error| invalid(error.to_string()))?;
        Ok(Code::new(zip))
    }

    /// The bucket and the key of a package in a bucket.
    fn object(&self) -> Result<Option<(&str, &str)>, AwsError> {
        if self.image_uri.is_some() {
            return Err(unsupported("functions that are container images"));
        }
        let in_bucket = [&self.s3_bucket, &self.s3_key, &self.s3_object_version];
        if self.zip_file.is_some() && in_bucket.iter().any(|member| member.is_some()) {
            return Err(invalid(
                "Please do not provide other FunctionCode parameters when providing a ZipFile.",
            ));
        }
        if self.s3_object_version.is_some() {
            return Err(unsupported("S3ObjectVersion: its buckets keep no versions"));
        }
        match (&self.s3_bucket, &self.s3_key) {
            (Some(bucket), Some(key)) => Ok(Some((bucket, key))),
            (None, None) => Ok(None),
            _ => Err(invalid("Please provide a source for function code.")),
        }
    }
}

fn decode(text: &str) -> Result<Vec<u8>, AwsError> {
    let zip = STANDARD.decode(text).map_err(|_| invalid(PackageError::NotAZip.to_string()))?;
    if zip.len() > LARGEST_ZIP {
        let message = format!("Zipped size must be smaller than {LARGEST_ZIP} bytes");
        return Err(AwsError::new(413, "RequestEntityTooLargeException", message));
    }
    Ok(zip)
}

impl Lambda {
    /// Reads a package that is in a bucket, in the name of whoever makes the request.
    pub(super) async fn fetch(
        &self,
        source: Option<&mut CodeSource>,
        request: &Request,
    ) -> Result<(), AwsError> {
        let Some(source) = source else { return Ok(()) };
        let Some((bucket, key)) = source.object()? else { return Ok(()) };
        let path: Vec<&str> = std::iter::once(bucket).chain(key.split('/')).collect();
        let client = self.account.client(Caller::Requester(request.credential.clone()));
        let answer = client.call("s3", Call::rest(Method::GET, &path, None)).await;
        let answer = answer.map_err(|error| {
            invalid(format!(
                "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                error.code, error.message
            ))
        })?;
        source.object = Some(answer.body().clone());
        Ok(())
    }
}
