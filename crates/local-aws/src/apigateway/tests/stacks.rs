//! REST APIs of stacks.

use super::*;

const STACK: &str = r#"
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: pets, EndpointConfiguration: {Types: [REGIONAL]}, Tags: [{Key: a, Value: b}]}
  Pets:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: pets}
  Model:
    Type: AWS::ApiGateway::Model
    Properties: {RestApiId: !Ref Api, Schema: {type: object, required: [name]}}
  Validator:
    Type: AWS::ApiGateway::RequestValidator
    Properties: {RestApiId: !Ref Api, ValidateRequestBody: "true"}
  Gate:
    Type: AWS::ApiGateway::Authorizer
    Properties:
      RestApiId: !Ref Api
      Name: gate
      Type: TOKEN
      IdentitySource: method.request.header.X-Word
      AuthorizerUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f/invocations"
  Post:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Pets
      HttpMethod: POST
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Gate
      RequestValidatorId: !Ref Validator
      RequestModels: {application/json: !Ref Model}
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f/invocations"
  Options:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Pets
      HttpMethod: OPTIONS
      MethodResponses:
        - {StatusCode: 204, ResponseParameters: {method.response.header.Access-Control-Allow-Origin: "true"}}
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: "{statusCode: 200}"}
        IntegrationResponses:
          - {StatusCode: 204, ResponseParameters: {method.response.header.Access-Control-Allow-Origin: "'*'"}}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: [Post, Options]
    Properties: {RestApiId: !Ref Api}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: prod, Variables: {colour: blue}}
  Account:
    Type: AWS::ApiGateway::Account
    Properties: {CloudWatchRoleArn: !Sub "arn:aws:iam::${AWS::AccountId}:role/r"}
Outputs:
  Api: {Value: !Ref Api}
  Pets: {Value: !GetAtt Pets.ResourceId}
  Post: {Value: !Ref Post}
  Url: {Value: !Sub "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"}
"#;

impl Here {
    pub(super) async fn stack(&self, template: &str) -> Value {
        let stack = json!({"StackName": "s", "TemplateBody": template});
        self.client.operation("cloudformation:CreateStack", &stack).await.expect("a stack");
        self.settled_stack().await
    }

    /// The stack when nothing of it is in progress any more; null where it is gone.
    pub(super) async fn settled_stack(&self) -> Value {
        let one = json!({"StackName": "s"});
        loop {
            let shown = self.client.operation("cloudformation:DescribeStacks", &one).await;
            let Ok(shown) = shown else { return Value::Null };
            let status = shown["Stacks"][0]["StackStatus"].as_str().unwrap_or_default();
            if !status.ends_with("_IN_PROGRESS") {
                return shown["Stacks"][0].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

pub(super) fn output<'s>(stack: &'s Value, name: &str) -> &'s str {
    let outputs = stack["Outputs"].as_array().expect("outputs");
    let found = outputs.iter().find(|output| output["OutputKey"] == name).expect(name);
    found["OutputValue"].as_str().expect("a text")
}

#[tokio::test]
async fn a_stack_has_a_rest_api_and_takes_it_away_again() {
    let here = Here::start().await;
    let before = here.aws.account().snapshot()["apigateway"].clone();
    let stack = here.stack(STACK).await;
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{stack:#}");
    let api = output(&stack, "Api");
    assert_eq!(output(&stack, "Url"), format!("{api}.execute-api.eu-west-1.amazonaws.com/prod"));
    assert_eq!(output(&stack, "Post"), format!("{api}|{}|POST", output(&stack, "Pets")));
    let tags = here.rest("GetRestApi", json!({"restApiId": api})).await["tags"].clone();
    assert_eq!(tags["a"], "b");
    here.function(Some(api)).await;
    let host = format!("Host: {api}.execute-api.eu-west-1.amazonaws.com");
    let post = async |headers: &[&str], body: &str| {
        let headers: Vec<&str> = headers.iter().copied().chain([host.as_str()]).collect();
        here.ask("POST /prod/pets", &headers, body).await
    };
    assert_eq!(post(&[], "{}").await.0, 401);
    let (status, _, body) = post(&["X-Word: hello"], "{}").await;
    assert_eq!((status, body.as_str()), (400, r#"{"message": "Invalid request body"}"#));
    let (status, _, body) = post(&["X-Word: hello"], r#"{"name": "rex"}"#).await;
    assert_eq!(status, 201, "{body}");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(event["stageVariables"], json!({"colour": "blue"}));
    let (status, head, _) = here.ask("OPTIONS /prod/pets", &[&host], "").await;
    assert_eq!(status, 204);
    assert!(head.contains("access-control-allow-origin: *"), "{head}");
    let role = here.rest("GetAccount", json!({})).await["cloudwatchRoleArn"].clone();
    assert_eq!(role, "arn:aws:iam::123456789012:role/r");
    here.client
        .operation("cloudformation:DeleteStack", &json!({"StackName": "s"}))
        .await
        .expect("deleted");
    let after = here.settled_stack().await;
    assert_eq!(after, Value::Null);
    assert_eq!(here.aws.account().snapshot()["apigateway"], before);
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_stack_whose_method_cannot_be_has_nothing_left() {
    let here = Here::start().await;
    let before = here.aws.account().snapshot()["apigateway"].clone();
    let stack = here.stack(&STACK.replace("Type: MOCK", "Type: HTTP")).await;
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE", "{stack:#}");
    assert_eq!(here.aws.account().snapshot()["apigateway"], before);
    here.aws.shutdown().await;
}
