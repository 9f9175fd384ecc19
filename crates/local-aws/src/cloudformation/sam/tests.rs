use serde_json::{Value, json};

use super::super::template::Template;
use crate::cloudformation::syntax;

const SHOP: &str = "
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Timeout: 5, Environment: {Variables: {LEVEL: INFO, TABLE: none}}}
Resources:
  Orders: {Type: 'AWS::Serverless::SimpleTable'}
  Take:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: 'def handler(event, context): return event'
      Environment: {Variables: {TABLE: !Ref Orders}}
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Orders}
        - AWSLambdaBasicExecutionRole
Outputs:
  Function: {Value: !GetAtt Take.Arn}
  Role: {Value: !GetAtt TakeRole.Arn}
";

fn expanded(text: &str) -> Result<Value, String> {
    let Ok(Value::Object(mut sections)) = syntax::read(text) else { return Err(text.to_owned()) };
    super::expand(&mut sections).map_err(|error| error.message)?;
    Ok(Value::Object(sections))
}

#[test]
fn a_function_becomes_a_function_and_its_role() {
    let sections = expanded(SHOP).expect("a template of SAM");
    let resources = &sections["Resources"];
    assert_eq!(resources["Take"]["Type"], "AWS::Lambda::Function");
    let function = &resources["Take"]["Properties"];
    assert_eq!(function["Code"]["ZipFile"], "def handler(event, context): return event");
    assert_eq!(function["Role"], json!({"Fn::GetAtt": ["TakeRole", "Arn"]}));
    assert_eq!(function["Timeout"], 5);
    // Globals are there, and the function's own win.
    let variables = json!({"LEVEL": "INFO", "TABLE": {"Ref": "Orders"}});
    assert_eq!(function["Environment"]["Variables"], variables);
    let role = &resources["TakeRole"]["Properties"];
    let logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    assert_eq!(role["ManagedPolicyArns"], json!([logs]));
    let policy = &role["Policies"][0];
    assert_eq!(policy["PolicyName"], "TakeRolePolicy0");
    let table = &policy["PolicyDocument"]["Statement"][0]["Resource"][0]["Fn::Sub"];
    assert_eq!(table[1], json!({"it": {"Ref": "Orders"}}));
    let table = &resources["Orders"];
    assert_eq!(table["Type"], "AWS::DynamoDB::Table");
    assert_eq!(table["Properties"]["BillingMode"], "PAY_PER_REQUEST");
}

#[test]
fn what_it_stands_for_is_a_template_that_asks_for_both_capabilities() {
    let template = Template::parse(SHOP).expect("a template");
    assert!(template.is_expanded);
    assert_eq!(template.capability(), Some(("CAPABILITY_IAM", vec!["AWS::IAM::Role"])));
    assert!(template.resource("TakeRole").is_some());
    assert_eq!(template.body, SHOP);
    let plain = Template::parse("Resources: {G: {Type: 'AWS::Logs::LogGroup'}}");
    assert!(!plain.expect("a template").is_expanded);
}

#[test]
fn what_there_is_not_is_named() {
    let function = |properties: &str| {
        format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {{Type: 'AWS::Serverless::Function', Properties: \
             {{{properties}}}}}"
        )
    };
    let whole = "Runtime: python3.13, Handler: index.handler, InlineCode: x";
    for (text, said) in [
        ("Transform: AWS::Include\nResources: {}".to_owned(), "the transform AWS::Include"),
        (function("Handler: a.b, InlineCode: x"), "'Runtime' is required"),
        (function("Runtime: python3.13, InlineCode: x"), "'Handler' is required"),
        (function("Runtime: python3.13, Handler: a.b"), "'InlineCode' or 'CodeUri' is required"),
        (
            function("Runtime: python3.13, Handler: a.b, CodeUri: src/"),
            "'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key'",
        ),
        (function(&format!("{whole}, Policies: {{EKSDescribePolicy: {{}}}}")), "EKSDescribePolicy"),
        (function(&format!("{whole}, Policies: {{S3ReadPolicy: {{}}}}")), "BucketName"),
        (function(&format!("{whole}, SnapStart: {{}}")), "SnapStart of AWS::Serverless::Function"),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {G: {Type: 'AWS::Serverless::GraphQLApi'}}"
                .to_owned(),
            "AWS::Serverless::GraphQLApi",
        ),
        (
            "Transform: AWS::Serverless-2016-10-31\nGlobals: {Api: {}}\nResources: {}".to_owned(),
            "Globals.Api",
        ),
    ] {
        let refused = expanded(&text).expect_err(&text);
        assert!(refused.contains(said), "{refused}");
    }
}
