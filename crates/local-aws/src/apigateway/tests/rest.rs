//! REST APIs.

use super::*;

const URI: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:f/invocations";

impl Here {
    async fn rest_api(&self) -> (String, String) {
        let api = self.rest("CreateRestApi", json!({"name": "a"})).await;
        let text = |name: &str| api[name].as_str().expect("a text").to_owned();
        (text("id"), text("rootResourceId"))
    }

    async fn resource(&self, api: &str, parent: &str, part: &str) -> String {
        let input = json!({"restApiId": api, "parentId": parent, "pathPart": part});
        let made = self.rest("CreateResource", input).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    /// A method that the function answers.
    async fn method(&self, api: &str, resource: &str, method: &str, more: &Value) {
        let of = json!({"restApiId": api, "resourceId": resource, "httpMethod": method});
        let plain = with(of.clone(), &json!({"authorizationType": "NONE"}));
        self.rest("PutMethod", with(plain, more)).await;
        let integration = json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": URI});
        self.rest("PutIntegration", with(of, &integration)).await;
    }

    async fn deploy(&self, api: &str, more: &Value) -> String {
        let input = with(json!({"restApiId": api, "stageName": "prod"}), more);
        let made = self.rest("CreateDeployment", input).await;
        made["id"].as_str().expect("an id").to_owned()
    }
}

fn answer((status, _, body): (u16, String, String)) -> (u16, String) {
    (status, body)
}

#[tokio::test]
async fn a_request_becomes_an_event_of_a_rest_api() {
    let here = Here::start().await;
    let (api, root) = here.rest_api().await;
    here.function(Some(&api)).await;
    let pets = here.resource(&api, &root, "pets").await;
    let pet = here.resource(&api, &pets, "{id}").await;
    here.method(&api, &pet, "ANY", &json!({"operationName": "pet"})).await;
    let deployment = here.deploy(&api, &json!({"variables": {"colour": "blue"}})).await;
    let headers = ["Content-Type: application/json", "X-Two: 1", "X-Two: 2", "User-Agent: me"];
    let line = format!("PUT /_api/{api}/prod/pets/a%20b?q=1&q=2");
    let (status, head, body) = here.ask(&line, &headers, r#"{"n": 1}"#).await;
    assert_eq!(status, 201, "{body}");
    for part in ["x-kind: test", "x-amzn-requestid: ", "x-amz-apigw-id: ", "application/json"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(event.get("version"), None);
    for (member, value) in [
        ("resource", json!("/pets/{id}")),
        ("path", json!("/pets/a b")),
        ("httpMethod", json!("PUT")),
        ("queryStringParameters", json!({"q": "2"})),
        ("multiValueQueryStringParameters", json!({"q": ["1", "2"]})),
        ("pathParameters", json!({"id": "a b"})),
        ("stageVariables", json!({"colour": "blue"})),
        ("body", json!(r#"{"n": 1}"#)),
        ("isBase64Encoded", json!(false)),
    ] {
        assert_eq!(event[member], value, "{member}");
    }
    assert_eq!(event["headers"]["X-Two"], "2");
    assert_eq!(event["multiValueHeaders"]["X-Two"], json!(["1", "2"]));
    assert_eq!(event["headers"]["X-Forwarded-For"], "127.0.0.1");
    let context = &event["requestContext"];
    for (member, value) in [
        ("resourceId", json!(pet)),
        ("resourcePath", json!("/pets/{id}")),
        ("operationName", json!("pet")),
        ("path", json!("/prod/pets/a b")),
        ("stage", json!("prod")),
        ("deploymentId", json!(deployment)),
        ("apiId", json!(api)),
        ("domainName", json!(format!("{api}.execute-api.eu-west-1.amazonaws.com"))),
        ("authorizer", Value::Null),
    ] {
        assert_eq!(context[member], value, "{member}");
    }
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["identity"]["userAgent"], "me");
    let host = format!("Host: {api}.execute-api.eu-west-1.amazonaws.com");
    let (status, _, body) = here.ask("GET /prod/pets/1/", &[&host], "").await;
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &event["path"]), (201, &json!("/pets/1/")));
    assert_eq!((&event["body"], &event["queryStringParameters"]), (&Value::Null, &Value::Null));
    here.aws.shutdown().await;
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_the_words_of_rest_apis() {
    let here = Here::start().await;
    let (api, root) = here.rest_api().await;
    here.function(None).await;
    here.method(&api, &root, "GET", &json!({})).await;
    here.deploy(&api, &json!({})).await;
    let path = format!("/_api/{api}/prod");
    let broken = |status: u16| (status, r#"{"message": "Internal server error"}"#.to_owned());
    assert_eq!(answer(here.ask(&format!("GET {path}"), &[], "").await), broken(500));
    here.allow(&api).await;
    assert_eq!(here.ask(&format!("GET {path}"), &[], "").await.0, 201);
    assert_eq!(answer(here.ask(&format!("GET {path}?fail=1"), &[], "").await), broken(502));
    assert_eq!(answer(here.ask(&format!("GET {path}?plain=1"), &[], "").await), broken(502));
    let missing = (403, r#"{"message":"Missing Authentication Token"}"#.to_owned());
    for line in [format!("POST {path}"), format!("GET {path}/none")] {
        assert_eq!(answer(here.ask(&line, &[], "").await), missing, "{line}");
    }
    let forbidden = (403, r#"{"message":"Forbidden"}"#.to_owned());
    assert_eq!(answer(here.ask(&format!("GET /_api/{api}/none"), &[], "").await), forbidden);
    let large = "x".repeat(10 * 1024 * 1024 + 1);
    let (status, body) = answer(here.ask(&format!("GET {path}"), &[], &large).await);
    let said = r#"{"message":"HTTP content length exceeded 10485760 bytes."}"#;
    assert_eq!((status, body.as_str()), (413, said));
    let of = json!({"restApiId": api, "resourceId": root, "httpMethod": "GET"});
    let shorter = json!([{"op": "replace", "path": "/timeoutInMillis", "value": "50"}]);
    here.rest("UpdateIntegration", with(of, &json!({"patchOperations": shorter}))).await;
    assert_eq!(here.ask(&format!("GET {path}?sleep=0.3"), &[], "").await.0, 201, "not deployed");
    here.deploy(&api, &json!({})).await;
    let late = (504, r#"{"message": "Endpoint request timed out"}"#.to_owned());
    assert_eq!(answer(here.ask(&format!("GET {path}?sleep=0.3"), &[], "").await), late);
    here.aws.shutdown().await;
}

#[tokio::test]
async fn bytes_pass_where_their_media_type_is_known() {
    let here = Here::start().await;
    let api = here.rest("CreateRestApi", json!({"name": "a", "binaryMediaTypes": ["image/png"]}));
    let api = api.await;
    let (id, root) = (api["id"].as_str().expect("an id"), api["rootResourceId"].as_str());
    here.function(Some(id)).await;
    here.method(id, root.expect("a root"), "ANY", &json!({})).await;
    here.deploy(id, &json!({})).await;
    let path = format!("/_api/{id}/prod/");
    let (_, _, body) = here.ask(&format!("POST {path}"), &["Content-Type: image/png"], "png").await;
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("cG5n"), &json!(true)));
    let get = format!("GET {path}?bytes=1");
    assert_eq!(here.ask(&get, &["Accept: image/png"], "").await.2, "\u{0}\u{1}\u{2}");
    assert_eq!(here.ask(&get, &["Accept: */*"], "").await.2, "AAEC");
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_function_says_who_may_ask_a_rest_api() {
    let here = Here::start().await;
    let (api, root) = here.rest_api().await;
    here.function(Some(&api)).await;
    let mut paths = Vec::new();
    for (kind, source, ttl) in [
        ("TOKEN", "method.request.header.X-Word", 300),
        ("REQUEST", "method.request.header.X-Word", 0),
    ] {
        let authorizer = json!({
            "restApiId": api, "name": kind, "type": kind, "authorizerUri": URI,
            "identitySource": source, "authorizerResultTtlInSeconds": ttl,
        });
        let authorizer = here.rest("CreateAuthorizer", authorizer).await;
        let more = json!({"authorizationType": "CUSTOM", "authorizerId": authorizer["id"]});
        let resource = here.resource(&api, &root, kind).await;
        here.method(&api, &resource, "GET", &more).await;
        paths.push((kind, format!("GET /_api/{api}/prod/{kind}")));
    }
    here.deploy(&api, &json!({})).await;
    for (kind, path) in &paths {
        let at = async |word: &str| {
            let (status, _, body) = here.ask(path, &[&format!("X-Word: {word}")], "").await;
            assert_eq!(status, 201, "{body}");
            let event: Value = serde_json::from_str(&body).expect("JSON");
            let said = event["requestContext"]["authorizer"].clone();
            assert_eq!((&said["principalId"], &said["level"]), (&json!("ada"), &json!("3")));
            assert_eq!(said["seen"], *kind);
            said["at"].clone()
        };
        // What is kept is not asked again.
        assert_eq!(at("hello").await == at("hello").await, *kind == "TOKEN");
        let ask = async |word: &str| answer(here.ask(path, &[word], "").await);
        let unauthorized = (401, r#"{"message":"Unauthorized"}"#.to_owned());
        assert_eq!(ask("X-None: 1").await, unauthorized);
        assert_eq!(ask("X-Word: who").await, unauthorized);
        assert_eq!(ask("X-Word: break").await, (500, r#"{"message":null}"#.to_owned()));
        let denied = r#"{"Message":"User is not authorized to access this resource"#;
        let explicit = format!("{denied} with an explicit deny\"}}");
        assert_eq!(ask("X-Word: never").await, (403, explicit));
        assert_eq!(ask("X-Word: elsewhere").await, (403, format!("{denied}\"}}")));
    }
    here.aws.shutdown().await;
}

#[tokio::test]
async fn requests_are_validated() {
    let here = Here::start().await;
    let (api, root) = here.rest_api().await;
    here.function(Some(&api)).await;
    let schema =
        json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}});
    let model = json!({
        "restApiId": api, "name": "Pet", "contentType": "application/json",
        "schema": schema.to_string(),
    });
    here.rest("CreateModel", model).await;
    let validator = json!({
        "restApiId": api, "name": "all", "validateRequestBody": true,
        "validateRequestParameters": true,
    });
    let validator = here.rest("CreateRequestValidator", validator).await;
    let more = json!({
        "requestValidatorId": validator["id"], "requestModels": {"application/json": "Pet"},
        "requestParameters": {
            "method.request.querystring.kind": true, "method.request.header.X-Key": true,
            "method.request.header.X-Other": false,
        },
    });
    here.method(&api, &root, "POST", &more).await;
    here.deploy(&api, &json!({})).await;
    let path = format!("POST /_api/{api}/prod/");
    let said = r#"{"message": "Missing required request parameters: [X-Key, kind]"}"#.to_owned();
    assert_eq!(answer(here.ask(&path, &[], "{}").await), (400, said));
    let (path, key) = (format!("{path}?kind=dog"), ["X-Key: 1", "Content-Type: application/json"]);
    let invalid = (400, r#"{"message": "Invalid request body"}"#.to_owned());
    for body in ["", "{", r#"{"name": 1}"#] {
        assert_eq!(answer(here.ask(&path, &key, body).await), invalid, "{body}");
    }
    assert_eq!(here.ask(&path, &key, r#"{"name": "rex"}"#).await.0, 201);
    let text = ["X-Key: 1", "Content-Type: text/plain"];
    assert_eq!(here.ask(&path, &text, "anything").await.0, 201);
    here.aws.shutdown().await;
}

#[tokio::test]
async fn an_api_answers_browsers_by_itself() {
    let here = Here::start().await;
    let (api, root) = here.rest_api().await;
    let of = json!({"restApiId": api, "resourceId": root, "httpMethod": "OPTIONS"});
    let origin = "method.response.header.Access-Control-Allow-Origin";
    for (operation, more) in [
        ("PutMethod", json!({"authorizationType": "NONE"})),
        ("PutMethodResponse", json!({"statusCode": "204", "responseParameters": {origin: true}})),
        (
            "PutIntegration",
            json!({"type": "MOCK", "requestTemplates": {"application/json": "{ statusCode: 200 }"}}),
        ),
        (
            "PutIntegrationResponse",
            json!({"statusCode": "204", "responseParameters": {origin: "'https://shop.example'"}}),
        ),
    ] {
        here.rest(operation, with(of.clone(), &more)).await;
    }
    here.deploy(&api, &json!({})).await;
    let page = ["Origin: https://shop.example", "Access-Control-Request-Method: GET"];
    let (status, head, body) = here.ask(&format!("OPTIONS /_api/{api}/prod/"), &page, "").await;
    assert_eq!((status, body.as_str()), (204, ""));
    assert!(head.contains("access-control-allow-origin: https://shop.example"), "{head}");
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_rest_api_is_changed_and_a_stage_stays_as_it_was_deployed() {
    let here = Here::start().await;
    let (api, root) = here.rest_api().await;
    here.function(Some(&api)).await;
    let id = json!({ "restApiId": api });
    let nothing = here.rest_refused("CreateDeployment", id.clone()).await;
    assert!(nothing.1.contains("doesn't contain any methods"), "{nothing:?}");
    let pets = here.resource(&api, &root, "pets").await;
    let pet = here.resource(&api, &pets, "{id}").await;
    here.method(&api, &pet, "GET", &json!({})).await;
    here.method(&api, &pets, "GET", &json!({})).await;
    let first = here.deploy(&api, &json!({})).await;
    let patch = |path: &str, value: &str| json!({"patchOperations": [{"op": "replace", "path": path, "value": value}]});
    let renamed =
        with(json!({"restApiId": api, "resourceId": pets}), &patch("/pathPart", "animals"));
    assert_eq!(here.rest("UpdateResource", renamed).await["path"], "/animals");
    let resources =
        here.rest("GetResources", with(id.clone(), &json!({"embed": ["methods"]}))).await;
    let child =
        resources["items"].as_array().expect("items").iter().find(|it| it["id"] == pet.as_str());
    assert_eq!(child.expect("it")["path"], "/animals/{id}");
    assert_eq!(
        child.expect("it")["resourceMethods"]["GET"]["methodIntegration"]["type"],
        "AWS_PROXY"
    );
    let status =
        async |path: &str| here.ask(&format!("GET /_api/{api}/prod/{path}"), &[], "").await.0;
    assert_eq!((status("pets").await, status("animals").await), (201, 403));
    let second = here.deploy(&api, &json!({})).await;
    assert_eq!((status("pets/1").await, status("animals/1").await), (403, 201));
    let stage = json!({"restApiId": api, "stageName": "prod"});
    here.rest("UpdateStage", with(stage.clone(), &patch("/deploymentId", &first))).await;
    assert_eq!(status("pets").await, 201);
    let active = json!({"restApiId": api, "deploymentId": first});
    let refused = here.rest_refused("DeleteDeployment", active).await;
    assert!(refused.1.contains("Active stages"), "{refused:?}");
    here.rest("DeleteDeployment", json!({"restApiId": api, "deploymentId": second})).await;
    here.rest("DeleteResource", json!({"restApiId": api, "resourceId": pets})).await;
    assert_eq!(
        here.rest("GetResources", id.clone()).await["items"].as_array().map(Vec::len),
        Some(1)
    );
    here.rest("DeleteStage", stage).await;
    assert_eq!(status("pets").await, 403);
    let arn = format!("arn:aws:apigateway:eu-west-1::/restapis/{api}");
    here.rest("TagResource", json!({"resourceArn": arn, "tags": {"a": "b", "c": "d"}})).await;
    here.rest("UntagResource", json!({"resourceArn": arn, "tagKeys": ["c"]})).await;
    assert_eq!(here.rest("GetTags", json!({"resourceArn": arn})).await["tags"], json!({"a": "b"}));
    assert_eq!(here.rest("GetRestApi", id.clone()).await["tags"], json!({"a": "b"}));
    here.rest("DeleteRestApi", id.clone()).await;
    assert_eq!(here.rest_refused("GetRestApi", id).await.0, "NotFoundException");
    here.aws.shutdown().await;
}

/// What cannot be made of the API of that id: operation, input, code, and what is said.
#[expect(clippy::too_many_lines, reason = "a table, and no more")]
fn refusals(api: &str, root: &str) -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let bad = "BadRequestException";
    let id = json!({ "restApiId": api });
    let more = |more: Value| with(id.clone(), &more);
    let of = |change: Value| with(more(json!({"resourceId": root, "httpMethod": "GET"})), &change);
    let below = |part: &str| more(json!({"parentId": root, "pathPart": part}));
    let vtl = json!({"application/json": "#set($a = 1)"});
    let authorizer = |kind: &str| more(json!({"name": "x", "type": kind}));
    vec![
        ("CreateRestApi", json!({"name": "x", "policy": "{}"}), bad, "policy"),
        ("CreateRestApi", json!({"name": "x", "minimumCompressionSize": 1}), bad, "minimumCompr"),
        ("CreateResource", below("a b"), bad, "path part"),
        ("CreateResource", below("pets"), "ConflictException", "same parent"),
        ("CreateResource", below("{other}"), bad, "sibling ({id})"),
        ("PutMethod", of(json!({"authorizationType": "NONE"})), "ConflictException", "exists"),
        (
            "UpdateMethod",
            of(
                json!({"patchOperations": [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]}),
            ),
            bad,
            "AWS_IAM",
        ),
        (
            "PutIntegration",
            of(json!({"type": "HTTP", "uri": "http://x", "integrationHttpMethod": "GET"})),
            bad,
            "HTTP integrations",
        ),
        ("PutIntegration", of(json!({"type": "HTTP_PROXY", "uri": "http://x"})), bad, "HTTP_PROXY"),
        (
            "PutIntegration",
            of(json!({"type": "AWS", "uri": URI, "integrationHttpMethod": "POST"})),
            bad,
            "VTL",
        ),
        ("PutIntegration", of(json!({"type": "MOCK", "requestTemplates": vtl})), bad, "VTL"),
        ("PutIntegration", of(json!({"type": "AWS_PROXY", "uri": URI})), bad, "HttpMethod"),
        (
            "PutIntegration",
            of(
                json!({"type": "AWS_PROXY", "uri": "arn:aws:apigateway:eu-west-1:sqs:path/q", "integrationHttpMethod": "POST"}),
            ),
            bad,
            "only supports Lambda",
        ),
        (
            "PutIntegrationResponse",
            of(
                json!({"statusCode": "200", "responseParameters": {"method.response.header.X": "'a'"}}),
            ),
            bad,
            "method.response.header.X",
        ),
        ("CreateAuthorizer", authorizer("COGNITO_USER_POOLS"), bad, "providerARNs"),
        ("CreateAuthorizer", authorizer("TOKEN"), bad, "Authorizer URI"),
        (
            "CreateModel",
            more(json!({"name": "X", "contentType": "a/b", "schema": "{\"if\": 1}"})),
            bad,
            "if in schemas",
        ),
        (
            "CreateModel",
            more(json!({"name": "Empty", "contentType": "a/b"})),
            "ConflictException",
            "Empty",
        ),
        (
            "CreateStage",
            more(json!({"stageName": "x", "deploymentId": "none"})),
            bad,
            "Deployment id",
        ),
        (
            "CreateDeployment",
            more(json!({"canarySettings": {"percentTraffic": 1.0}})),
            bad,
            "canarySettings",
        ),
        ("GetStage", more(json!({"stageName": "none"})), "NotFoundException", "stage"),
        ("GetMethod", of(json!({"httpMethod": "PUT"})), "NotFoundException", "Method"),
        ("CreateApiKey", json!({"name": "k"}), "UnknownOperationException", "CreateApiKey"),
    ]
}

#[tokio::test]
async fn what_a_rest_api_cannot_be_is_refused() {
    let here = Here::start().await;
    let (api, root) = here.rest_api().await;
    here.resource(&api, &root, "pets").await;
    here.resource(&api, &root, "{id}").await;
    here.method(&api, &root, "GET", &json!({})).await;
    for (operation, input, code, said) in refusals(&api, &root) {
        let (got, message) = here.rest_refused(operation, input).await;
        assert!(got == code && message.contains(said), "{operation}: {got}: {message}");
    }
    here.aws.shutdown().await;
}
