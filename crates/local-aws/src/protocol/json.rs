//! awsJson 1.0 and 1.1: the operation in `X-Amz-Target`, JSON both ways, `__type` in errors.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::AwsError;
use crate::http::{Request, Response};

/// Which of the two; they differ in the media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `application/x-amz-json-1.0`
    V1_0,
    /// `application/x-amz-json-1.1`
    V1_1,
}

impl Version {
    fn content_type(self) -> &'static str {
        match self {
            Self::V1_0 => "application/x-amz-json-1.0",
            Self::V1_1 => "application/x-amz-json-1.1",
        }
    }
}

/// The operation's name: what follows the dot in `X-Amz-Target`.
pub fn operation(request: &Request) -> Result<&str, AwsError> {
    request
        .header("x-amz-target")
        .and_then(|target| target.rsplit_once('.'))
        .map(|(_, operation)| operation)
        .ok_or_else(|| {
            AwsError::bad_request(
                "UnknownOperationException",
                "The X-Amz-Target header is missing or has no dot.",
            )
        })
}

/// Reads a request's body; an empty one is an empty object.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let input = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))?;
    deserializer
        .end()
        .map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))?;
    Ok(input)
}

/// A successful response.
#[must_use]
pub fn reply<T: Serialize>(version: Version, output: &T) -> Response {
    match serde_json::to_vec(output) {
        Ok(body) => Response::new(200, version.content_type(), body),
        Err(failure) => error(version, &AwsError::new(500, "InternalFailure", failure.to_string())),
    }
}

/// A successful response without members: AWS sends no body at all.
#[must_use]
pub fn reply_empty(version: Version) -> Response {
    Response::new(200, version.content_type(), "")
}

/// An error.
#[must_use]
pub fn error(version: Version, error: &AwsError) -> Response {
    let mut body = error.fields.clone();
    body.insert("__type".to_owned(), Value::String(error.code.clone()));
    body.insert("message".to_owned(), Value::String(error.message.clone()));
    Response::new(error.status, version.content_type(), Value::from_iter(body).to_string())
        .with_header("x-amzn-ErrorType", error.code.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Input {
        #[serde(default)]
        limit: Option<i64>,
    }

    #[test]
    fn an_empty_body_is_an_empty_object() {
        assert_eq!(parse::<Input>(b""), Ok(Input { limit: None }));
        assert_eq!(
            parse::<Input>(b" {\"limit\": 3, \"other\": []} "),
            Ok(Input { limit: Some(3) })
        );
    }

    #[test]
    fn bad_input_is_a_serialization_exception_that_says_where() {
        for (body, part) in
            [("{\"limit\": \"3\"}", "limit: invalid type"), ("{", "EOF"), ("{} {}", "trailing")]
        {
            let error = parse::<Input>(body.as_bytes()).expect_err(body);
            assert_eq!((error.status, error.code.as_str()), (400, "SerializationException"));
            assert!(error.message.contains(part), "{}", error.message);
        }
    }

    #[test]
    fn errors_carry_their_type_and_members() {
        let given = AwsError::bad_request("XException", "no").with("Reason", "because");
        let response = error(Version::V1_1, &given);
        assert_eq!(response.status, 400);
        assert_eq!(
            serde_json::from_slice::<Value>(&response.body).expect("JSON"),
            serde_json::json!({"Reason": "because", "__type": "XException", "message": "no"})
        );
    }
}
