//! restJson1: methods and paths, JSON bodies, the error's name in `x-amzn-ErrorType`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::AwsError;
use crate::http::Response;

const CONTENT_TYPE: &str = "application/json";

/// Reads a request's body; an empty one is an empty object.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    super::json::parse(body).map_err(|error| AwsError {
        message: format!("Could not parse request body into json: {}", error.message),
        code: "InvalidRequestContentException".to_owned(),
        ..error
    })
}

/// A response with a JSON body.
#[must_use]
pub fn reply<T: Serialize>(status: u16, output: &T) -> Response {
    match serde_json::to_vec(output) {
        Ok(body) => Response::new(status, CONTENT_TYPE, body),
        Err(failure) => error(&AwsError::new(500, "ServiceException", failure.to_string())),
    }
}

/// An error: `Type` says whose fault it is, the message stands under both spellings that AWS's clients look for.
#[must_use]
pub fn error(error: &AwsError) -> Response {
    let mut body = error.fields.clone();
    let blame = if error.is_sender_fault() { "User" } else { "Service" };
    body.entry("Type".to_owned()).or_insert_with(|| Value::from(blame));
    body.insert("Message".to_owned(), Value::String(error.message.clone()));
    body.insert("message".to_owned(), Value::String(error.message.clone()));
    Response::new(error.status, CONTENT_TYPE, Value::from_iter(body).to_string())
        .with_header("x-amzn-ErrorType", error.code.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_whose_fault_they_are_in_header_and_body() {
        let given = AwsError::new(409, "ResourceConflictException", "no").with("Detail", 1);
        let response = error(&given);
        let name = "ResourceConflictException".to_owned();
        assert_eq!(response.status, 409);
        assert!(response.headers.contains(&("x-amzn-ErrorType".to_owned(), name)));
        assert_eq!(
            serde_json::from_slice::<Value>(&response.body).expect("JSON"),
            serde_json::json!({"Type": "User", "Message": "no", "message": "no", "Detail": 1})
        );
        let ours = error(&AwsError::new(500, "ServiceException", "oh"));
        assert!(String::from_utf8_lossy(&ours.body).contains(r#""Type":"Service""#));
    }

    #[test]
    fn bad_json_is_named_as_lambda_names_it() {
        let refused = parse::<Vec<u8>>(b"[1, \"x\"]").expect_err("not a number");
        assert_eq!(refused.code, "InvalidRequestContentException");
        assert!(refused.message.starts_with("Could not parse request body into json: "));
    }
}
