//! Versions by name, and stacks that hold all that flows.

use super::*;

#[tokio::test]
async fn an_alias_leads_to_its_version_and_sends_a_part_elsewhere() {
    let account = open(&[]).await;
    function(&account, "def handler(event, context):\n    return context.invoked_function_arn\n")
        .await;
    let publish = json!({"FunctionName": "f"});
    call(&account, "lambda:PublishVersion", publish.clone()).await.expect("one");
    let change = json!({"FunctionName": "f", "Timeout": 5});
    call(&account, "lambda:UpdateFunctionConfiguration", change).await.expect("changed");
    call(&account, "lambda:PublishVersion", publish).await.expect("two");
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    let made = call(&account, "lambda:CreateAlias", alias.clone()).await.expect("an alias");
    assert_eq!(made["AliasArn"], "arn:aws:lambda:eu-west-1:123456789012:function:f:live");
    let invoke = json!({"FunctionName": "f", "Qualifier": "live"});
    let version = async || {
        let invoked = call(&account, "lambda:Invoke", invoke.clone()).await.expect("invoked");
        invoked["ExecutedVersion"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(version().await, "1");
    let split = json!({
        "FunctionName": "f", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"2": 1.0}},
    });
    call(&account, "lambda:UpdateAlias", split).await.expect("split");
    assert_eq!(version().await, "2");
    assert_eq!(
        call(&account, "lambda:CreateAlias", alias).await.expect_err("twice").code,
        "ResourceConflictException"
    );
    let used = json!({"FunctionName": "f", "Qualifier": "1"});
    assert_eq!(
        call(&account, "lambda:DeleteFunction", used).await.expect_err("used").code,
        "ResourceConflictException"
    );
    call(&account, "lambda:DeleteAlias", json!({"FunctionName": "f", "Name": "live"}))
        .await
        .expect("deleted");
    let gone =
        call(&account, "lambda:GetAlias", json!({"FunctionName": "f", "Name": "live"})).await;
    assert_eq!(gone.expect_err("gone").code, "ResourceNotFoundException");
    account.shutdown().await;
}

const STACK: &str = r#"
Resources:
  Dead: {Type: AWS::SQS::Queue}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 30
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      Subscription: [{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition: {ArnEquals: {"aws:SourceArn": !Ref Topic}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Runtime: python3.13
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/r
      Code:
        ZipFile: |
          import json
          def handler(event, context):
              for record in event.get('Records', []):
                  print('seen', json.loads(record['body'])['Message'])
  Source:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Function, BatchSize: 5}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Function, FunctionVersion: !GetAtt Version.Version, Name: live}
  Stream: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: bus}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [shop]}
      Targets: [{Id: q, Arn: !GetAtt Dead.Arn}]
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {PasswordLength: 20}}}
  Bucket: {Type: AWS::S3::Bucket, Properties: {NotificationConfiguration: {EventBridgeConfiguration: {}}}}
  Metadata: {Type: AWS::CDK::Metadata, Properties: {Analytics: "v2:deflate64:x"}}
Outputs:
  Topic: {Value: !Ref Topic}
"#;

#[tokio::test]
async fn a_stack_has_all_of_it_and_takes_it_away_again() {
    let account = open(&[QUEUES]).await;
    let before = account.snapshot();
    let stack = json!({"StackName": "s", "TemplateBody": STACK});
    call(&account, "cloudformation:CreateStack", stack).await.expect("a stack");
    let one = json!({"StackName": "s"});
    let status = async || {
        let shown = call(&account, "cloudformation:DescribeStacks", one.clone()).await;
        shown.map_or(json!("gone"), |shown| shown["Stacks"][0]["StackStatus"].clone())
    };
    until(&account, "the stack is through", async || status().await != "CREATE_IN_PROGRESS").await;
    let events =
        call(&account, "cloudformation:DescribeStackEvents", one.clone()).await.expect("events");
    assert_eq!(status().await, "CREATE_COMPLETE", "{events:#}");
    let shown = call(&account, "cloudformation:DescribeStacks", one.clone()).await.expect("shown");
    let topic = &shown["Stacks"][0]["Outputs"][0]["OutputValue"];
    call(&account, "sns:Publish", json!({"TopicArn": topic, "Message": "hello"}))
        .await
        .expect("published");
    until(&account, "it is seen", async || printed(&account, "seen ").await == ["hello"]).await;
    call(&account, "cloudformation:DeleteStack", one.clone()).await.expect("deleted");
    until(&account, "the stack is gone", async || {
        let status = status().await;
        status != "DELETE_IN_PROGRESS" && status != "CREATE_COMPLETE"
    })
    .await;
    let after = account.snapshot();
    for service in ["sqs", "sns", "kinesis", "events", "secretsmanager", "s3", "lambda"] {
        assert_eq!(before[service], after[service], "{service}");
    }
    account.shutdown().await;
}
