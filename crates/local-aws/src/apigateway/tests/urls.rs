//! Function URLs, which answer as HTTP APIs do.

use super::*;

impl Here {
    async fn lambda(&self, operation: &str, input: Value) -> Value {
        let name = format!("lambda:{operation}");
        self.client.operation(&name, &input).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    async fn lambda_refused(&self, operation: &str, input: Value) -> String {
        let name = format!("lambda:{operation}");
        self.client.operation(&name, &input).await.expect_err("refused").code
    }

    /// Lets everybody do that over the function's URL.
    async fn let_in(&self, action: &str, condition: &Value) {
        let permission = json!({
            "FunctionName": "f", "StatementId": action, "Principal": "*",
            "Action": format!("lambda:{action}"),
        });
        self.lambda("AddPermission", with(permission, condition)).await;
    }

    /// The path of a URL.
    fn path(&self, made: &Value) -> String {
        let url = made["FunctionUrl"].as_str().expect("a URL");
        url.strip_prefix(self.aws.endpoint_url()).expect("it is here").to_owned()
    }
}

#[tokio::test]
async fn a_function_answers_at_its_url_whoever_may_ask() {
    let here = Here::start().await;
    here.function(None).await;
    let cors = json!({"AllowOrigins": ["https://shop.example"], "AllowMethods": ["GET"]});
    let one = json!({"FunctionName": "f"});
    let made = with(one.clone(), &json!({"AuthType": "NONE", "Cors": cors}));
    let made = here.lambda("CreateFunctionUrlConfig", made).await;
    assert_eq!((&made["FunctionArn"], &made["InvokeMode"]), (&json!(FUNCTION), &json!("BUFFERED")));
    let path = here.path(&made);
    let (status, head, body) = here.ask(&format!("GET {path}"), &[], "").await;
    assert!(status == 403 && body.starts_with(r#"{"Message":"Forbidden"#), "{body}");
    assert!(head.contains("accessdeniedexception"), "{head}");
    here.let_in("InvokeFunctionUrl", &json!({"FunctionUrlAuthType": "NONE"})).await;
    assert_eq!(here.ask(&format!("GET {path}"), &[], "").await.0, 403, "it takes both");
    here.let_in("InvokeFunction", &json!({"InvokedViaFunctionUrl": true})).await;
    let headers = ["Content-Type: application/json", "Cookie: a=1"];
    let line = format!("POST {path}shop/a%20b?q=1&q=2");
    let (status, _, body) = here.ask(&line, &headers, r#"{"n": 1}"#).await;
    assert_eq!(status, 201, "{body}");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    let id = path.trim_start_matches("/_url/").trim_end_matches('/');
    for (pointer, value) in [
        ("/version", json!("2.0")),
        ("/routeKey", json!("$default")),
        ("/rawPath", json!("/shop/a b")),
        ("/rawQueryString", json!("q=1&q=2")),
        ("/cookies", json!(["a=1"])),
        ("/body", json!(r#"{"n": 1}"#)),
        ("/requestContext/accountId", json!("anonymous")),
        ("/requestContext/apiId", json!(id)),
        ("/requestContext/domainName", json!(format!("{id}.lambda-url.eu-west-1.on.aws"))),
        ("/requestContext/http/method", json!("POST")),
        ("/requestContext/stage", json!("$default")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&value), "{pointer}");
    }
    let host = format!("Host: {id}.lambda-url.eu-west-1.on.aws");
    let (status, _, body) = here.ask("GET /?plain=yes", &[&host], "").await;
    assert_eq!((status, body.as_str()), (200, r#"{"got":"yes"}"#));
    let (status, _, body) = here.ask(&format!("GET {path}?fail=1"), &[], "").await;
    assert_eq!((status, body.as_str()), (502, "Internal Server Error"));
    let page = ["Origin: https://shop.example", "Access-Control-Request-Method: GET"];
    let (_, head, _) = here.ask(&format!("OPTIONS {path}"), &page, "").await;
    assert!(head.contains("access-control-allow-origin: https://shop.example"), "{head}");
    let large = "x".repeat(6 * 1024 * 1024 + 1);
    assert_eq!(here.ask(&format!("POST {path}"), &[], &large).await.0, 413);
    here.lambda("DeleteFunctionUrlConfig", one.clone()).await;
    assert_eq!(here.ask(&format!("GET {path}"), &[], "").await.0, 403);
    assert_eq!(here.lambda_refused("GetFunctionUrlConfig", one).await, "ResourceNotFoundException");
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_url_with_iam_takes_what_is_signed() {
    let here = Here::start().await;
    here.function(None).await;
    let one = json!({"FunctionName": "f"});
    let made = with(one.clone(), &json!({"AuthType": "AWS_IAM"}));
    let path = here.path(&here.lambda("CreateFunctionUrlConfig", made).await);
    assert_eq!(here.ask(&format!("GET {path}"), &[], "").await.0, 403);
    let key = "Authorization: AWS4-HMAC-SHA256 Credential=test/20261123/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    let (status, _, body) = here.ask(&format!("GET {path}x"), &[key], "").await;
    assert_eq!(status, 201, "{body}");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    let context = &event["requestContext"];
    assert_eq!(context["accountId"], "123456789012");
    assert_eq!(context["authorizer"]["iam"]["accessKey"], "test");
    // Another account's word takes a policy, and a page's is never taken.
    let other = key.replace("Credential=test", "Credential=210987654321");
    assert_eq!(here.ask(&format!("GET {path}"), &[&other], "").await.0, 403);
    let allow = json!({"FunctionUrlAuthType": "AWS_IAM", "Principal": "210987654321"});
    here.let_in("InvokeFunctionUrl", &allow).await;
    let allow = json!({"InvokedViaFunctionUrl": true, "Principal": "210987654321"});
    here.let_in("InvokeFunction", &allow).await;
    assert_eq!(here.ask(&format!("GET {path}"), &[&other], "").await.0, 201);
    let third = key.replace("Credential=test", "Credential=310987654321");
    assert_eq!(here.ask(&format!("GET {path}"), &[&third], "").await.0, 403);
    let page = "Origin: https://evil.example";
    assert_eq!(here.ask(&format!("GET {path}"), &[key, page], "").await.0, 403);
    here.aws.shutdown().await;
}

#[tokio::test]
async fn urls_belong_to_functions_and_aliases() {
    let here = Here::start().await;
    here.function(None).await;
    let one = json!({"FunctionName": "f"});
    here.lambda("PublishVersion", one.clone()).await;
    here.lambda(
        "CreateAlias",
        json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"}),
    )
    .await;
    let none = with(one.clone(), &json!({"AuthType": "NONE"}));
    let live = with(none.clone(), &json!({"Qualifier": "live"}));
    let made = here.lambda("CreateFunctionUrlConfig", live.clone()).await;
    assert_eq!(made["FunctionArn"], format!("{FUNCTION}:live"));
    here.lambda("CreateFunctionUrlConfig", none.clone()).await;
    for (input, code) in [
        (none, "ResourceConflictException"),
        (with(live.clone(), &json!({"Qualifier": "1"})), "ValidationException"),
        (with(live.clone(), &json!({"Qualifier": "none"})), "ResourceNotFoundException"),
        (
            with(live.clone(), &json!({"InvokeMode": "RESPONSE_STREAM"})),
            "InvalidParameterValueException",
        ),
        (json!({"FunctionName": "none", "AuthType": "NONE"}), "ResourceNotFoundException"),
    ] {
        assert_eq!(here.lambda_refused("CreateFunctionUrlConfig", input).await, code);
    }
    let change = with(live.clone(), &json!({"AuthType": "AWS_IAM", "Cors": {"MaxAge": 5}}));
    let changed = here.lambda("UpdateFunctionUrlConfig", change).await;
    assert_eq!((&changed["AuthType"], &changed["Cors"]["MaxAge"]), (&json!("AWS_IAM"), &json!(5)));
    let first =
        here.lambda("ListFunctionUrlConfigs", with(one.clone(), &json!({"MaxItems": 1}))).await;
    assert_eq!(first["FunctionUrlConfigs"].as_array().map(Vec::len), Some(1));
    let all = here.lambda("ListFunctionUrlConfigs", one.clone()).await;
    assert_eq!(all["FunctionUrlConfigs"].as_array().map(Vec::len), Some(2));
    here.lambda("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await;
    let all = here.lambda("ListFunctionUrlConfigs", one).await;
    assert_eq!(all["FunctionUrlConfigs"].as_array().map(Vec::len), Some(1));
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_stack_has_a_url() {
    let here = Here::start().await;
    here.function(None).await;
    let template = r#"
Resources:
  Url:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: f, AuthType: NONE, Cors: {AllowOrigins: ["*"], MaxAge: "5"}}
  May: {Type: AWS::Lambda::Permission, Properties: {FunctionName: f, Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: NONE}}
  MayRun: {Type: AWS::Lambda::Permission, Properties: {FunctionName: f, Action: "lambda:InvokeFunction", Principal: "*", InvokedViaFunctionUrl: true}}
Outputs:
  Url: {Value: !GetAtt Url.FunctionUrl}
  Arn: {Value: !Ref Url}
"#;
    let stack = here.stack(template).await;
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{stack:#}");
    assert_eq!(super::stacks::output(&stack, "Arn"), FUNCTION);
    let path = here.path(&json!({"FunctionUrl": super::stacks::output(&stack, "Url")}));
    assert_eq!(here.ask(&format!("GET {path}"), &[], "").await.0, 201);
    let one = json!({"StackName": "s"});
    here.client.operation("cloudformation:DeleteStack", &one).await.expect("deleted");
    assert_eq!(here.settled_stack().await, Value::Null);
    assert_eq!(here.ask(&format!("GET {path}"), &[], "").await.0, 403);
    here.aws.shutdown().await;
}
