//! What becomes of a body after it is written: compression, checksums.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::{Call, Request, WireError, Wired};

/// As long as a body may be when it is unpacked.
const LONGEST: u64 = 256 << 20;

/// A checksum that a request is to have. Whoever sends the body makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedChecksum {
    /// Its algorithm, in capitals: `CRC32`.
    pub algorithm: String,
    /// The header that it stands in.
    pub header: String,
    /// The header that names the algorithm, where there is one.
    pub algorithm_header: Option<(&'static str, String)>,
    /// Without it, the request is refused.
    pub required: bool,
}

impl Call<'_> {
    /// Compresses the body where the operation knows how and it has at least so many bytes; says whether it did.
    pub fn compress(&self, request: &mut Request, least: usize) -> bool {
        if !self.operation.compression.contains(&"gzip") || request.body.len() < least {
            return false;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let compressed = encoder.write_all(&request.body).and_then(|()| encoder.finish());
        request.body = compressed.expect("writing into memory does not fail");
        let encodings = request
            .headers
            .get("Content-Encoding")
            .map_or_else(|| "gzip".to_owned(), |others| format!("{others},gzip"));
        request.headers.set("Content-Encoding", encodings);
        true
    }

    /// The request as it was before it was compressed, where it was.
    pub(crate) fn decompressed(&self, request: &Request) -> Wired<Option<Request>> {
        let encodings = request.headers.get("Content-Encoding").unwrap_or_default();
        let (others, last) = encodings.rsplit_once(',').unwrap_or(("", encodings));
        if last.trim() != "gzip" || !self.operation.compression.contains(&"gzip") {
            return Ok(None);
        }
        let mut body = Vec::new();
        let read = GzDecoder::new(request.body.as_slice()).take(LONGEST + 1).read_to_end(&mut body);
        read.map_err(|error| WireError::new(format!("the body is no gzip: {error}")))?;
        if body.len() as u64 > LONGEST {
            return Err(WireError::new("the body is too long when it is unpacked"));
        }
        let mut request = Request { body, ..request.clone() };
        if others.is_empty() {
            request.headers.remove("Content-Encoding");
        } else {
            request.headers.set("Content-Encoding", others.trim());
        }
        Ok(Some(request))
    }

    /// The checksum that the request with that input is to have: the one that the input names, or the SDKs' default.
    pub fn checksum(&self, input: &Value, request: &Request) -> Option<WantedChecksum> {
        let knows = self.operation.checksum.as_ref();
        let member = knows.and_then(|checksum| checksum.algorithm_member);
        let given = request.headers.iter().any(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name.starts_with("x-amz-checksum-")
                && name != "x-amz-checksum-mode"
                && name != "x-amz-checksum-type"
        });
        if given || !self.operation.checksum_required && member.is_none() {
            return None;
        }
        let named = member.and_then(|member| input.get(member)).and_then(Value::as_str);
        let algorithm = named.unwrap_or("CRC32").to_ascii_uppercase();
        let located = member.and_then(|name| {
            self.service.input_of(self.operation).iter().find(|member| member.name == name)
        });
        let header = located
            .filter(|member| member.traits.location.is_some())
            .map(|member| (member.wire_name(), algorithm.clone()));
        Some(WantedChecksum {
            header: format!("x-amz-checksum-{}", algorithm.to_ascii_lowercase()),
            algorithm,
            algorithm_header: header,
            required: self.operation.checksum_required,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Call;

    fn wanted(
        name: &str,
        input: serde_json::Value,
    ) -> Option<(String, Option<(&'static str, String)>)> {
        let found = crate::find(name).expect("it is there");
        let call = Call::new(found.service, found.operation);
        let request = call.request(&input).expect("it is an input");
        call.checksum(&input, &request).map(|checksum| (checksum.header, checksum.algorithm_header))
    }

    #[test]
    fn a_checksum_is_the_one_that_is_named_or_the_default() {
        let header = |name: &str| Some(("x-amz-sdk-checksum-algorithm", name.to_owned()));
        assert_eq!(
            wanted("s3:PutObject", json!({"Bucket": "b", "Key": "k"})),
            Some(("x-amz-checksum-crc32".into(), header("CRC32")))
        );
        let named = json!({"Bucket": "b", "Key": "k", "ChecksumAlgorithm": "SHA256"});
        assert_eq!(
            wanted("s3:PutObject", named),
            Some(("x-amz-checksum-sha256".into(), header("SHA256")))
        );
        assert_eq!(
            wanted("s3:PutObject", json!({"Bucket": "b", "Key": "k", "ChecksumCRC32": "AAAAAA=="})),
            None
        );
        assert_eq!(wanted("s3:GetObject", json!({"Bucket": "b", "Key": "k"})), None);
    }
}
