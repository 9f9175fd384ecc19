//! How APIs call functions.

use hyper::Method;
use serde_json::Value;

use crate::account::Account;
use crate::account::client::{Call, Caller, ServiceCaller};

/// Why a function has not answered.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is not there, or may not be called.
    Refused,
    /// It has failed, with that error, or has returned no JSON.
    Failed(Value),
}

/// What a function returns that is called in the name of an API, for the resource of that ARN.
pub(super) async fn function(
    account: &Account,
    function: &str,
    event: &Value,
    source_arn: String,
) -> Result<Value, Failure> {
    let caller = Caller::Service(ServiceCaller {
        principal: "apigateway.amazonaws.com".to_owned(),
        source_arn,
        source_account: account.id.clone(),
    });
    let path = ["2015-03-31", "functions", function, "invocations"];
    let call = Call::rest(Method::POST, &path, Some(event));
    let answer = account.client(caller).call("lambda", call).await.map_err(|_| Failure::Refused)?;
    if answer.header("x-amz-function-error").is_some() {
        return Err(Failure::Failed(answer.json()));
    }
    serde_json::from_slice(answer.body()).map_err(|_| Failure::Failed(Value::Null))
}
