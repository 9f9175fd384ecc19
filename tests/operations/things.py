"""What is in an account, as boto3 sees it, and what somebody else has put there: the services of services.yaml."""

import json

import boto3
from botocore.config import Config

REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
SERVICES = (
    "apigatewayv2", "cloudwatch", "cognito-idp", "dynamodb", "ec2", "ecr", "events", "iam", "kinesis", "kms", "logs", "route53", "s3", "secretsmanager", "sns", "sqs",
    "ssm", "stepfunctions",
)  # fmt: skip
CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=60, s3={"addressing_style": "path"})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]})


def clients(url):
    session = boto3.Session(region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
    return {name: session.client(name, endpoint_url=url, config=CONFIG) for name in SERVICES}


def plant(aws):
    """Somebody else's things, one of each kind that the run makes."""
    queue = aws["sqs"].create_queue(QueueName="theirs")["QueueUrl"]
    arn = aws["sqs"].get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = aws["sns"].create_topic(Name="theirs")["TopicArn"]
    aws["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    aws["ssm"].put_parameter(Name="/theirs", Value="red", Type="String")
    aws["secretsmanager"].create_secret(Name="theirs", SecretString="hidden")
    key = aws["kms"].create_key(Description="theirs")["KeyMetadata"]["KeyId"]
    aws["kms"].create_alias(AliasName="alias/theirs", TargetKeyId=key)
    aws["events"].put_rule(Name="theirs", ScheduleExpression="rate(1 day)", State="DISABLED")
    aws["events"].put_targets(Rule="theirs", Targets=[{"Id": "queue", "Arn": arn}])
    aws["logs"].create_log_group(logGroupName="/theirs")
    aws["logs"].create_log_stream(logGroupName="/theirs", logStreamName="one")
    role = aws["iam"].create_role(RoleName="theirs", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    aws["iam"].put_role_policy(RoleName="theirs", PolicyName="inline", PolicyDocument=POLICY)
    policy = aws["iam"].create_policy(PolicyName="theirs", PolicyDocument=POLICY)["Policy"]["Arn"]
    aws["iam"].attach_role_policy(RoleName="theirs", PolicyArn=policy)
    aws["iam"].create_user(UserName="theirs")
    aws["iam"].create_access_key(UserName="theirs")
    aws["dynamodb"].create_table(
        TableName="theirs", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST"
    )
    aws["dynamodb"].put_item(TableName="theirs", Item={"id": {"S": "theirs"}})
    aws["s3"].create_bucket(Bucket="theirs")
    aws["s3"].put_object(Bucket="theirs", Key="notes/a.txt", Body=b"hi there")
    vpc = aws["ec2"].create_vpc(CidrBlock="10.78.0.0/16")["Vpc"]["VpcId"]
    aws["ec2"].create_subnet(VpcId=vpc, CidrBlock="10.78.1.0/24")
    group = aws["ec2"].create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    aws["ec2"].authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    aws["stepfunctions"].create_state_machine(name="theirs", definition='{"StartAt": "E", "States": {"E": {"Type": "Succeed"}}}', roleArn=role)
    aws["kinesis"].create_stream(StreamName="theirs", ShardCount=1)
    aws["ecr"].create_repository(repositoryName="theirs")
    aws["route53"].create_hosted_zone(Name="theirs.example.com.", CallerReference="theirs")
    aws["apigatewayv2"].create_api(Name="theirs", ProtocolType="HTTP")
    pool = aws["cognito-idp"].create_user_pool(PoolName="theirs")["UserPool"]["Id"]
    aws["cognito-idp"].admin_create_user(UserPoolId=pool, Username="somebody", MessageAction="SUPPRESS")
    aws["cloudwatch"].put_metric_alarm(
        AlarmName="theirs", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, MetricName="m", Namespace="n", Period=60, Statistic="Sum", Threshold=1
    )


def inventory(aws):
    """What is there: kind and name, to how it is."""
    found = {}
    for look in LOOKS:
        for name, picture in look(aws):
            found[(look.__name__, *name)] = json.dumps(picture, sort_keys=True, default=str)
    return found


def queues(aws):
    for url in aws["sqs"].list_queues().get("QueueUrls", []):
        yield (url,), None


def topics(aws):
    for topic in aws["sns"].list_topics()["Topics"]:
        yield (topic["TopicArn"],), None
    for subscription in aws["sns"].list_subscriptions()["Subscriptions"]:
        yield (subscription["SubscriptionArn"],), subscription


def parameters(aws):
    for parameter in aws["ssm"].describe_parameters()["Parameters"]:
        yield (parameter["Name"],), parameter


def secrets(aws):
    for secret in aws["secretsmanager"].list_secrets()["SecretList"]:
        yield (secret["ARN"],), secret.get("DeletedDate")


def keys(aws):
    for key in aws["kms"].list_keys()["Keys"]:
        state = aws["kms"].describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
        if state != "PendingDeletion":
            yield (key["KeyId"],), state
    for alias in aws["kms"].list_aliases()["Aliases"]:
        if not alias["AliasName"].startswith("alias/aws/"):
            yield (alias["AliasName"],), alias["TargetKeyId"]


def rules(aws):
    for rule in aws["events"].list_rules()["Rules"]:
        yield (rule["Name"],), aws["events"].list_targets_by_rule(Rule=rule["Name"])["Targets"]


def groups(aws):
    for group in aws["logs"].describe_log_groups()["logGroups"]:
        streams = aws["logs"].describe_log_streams(logGroupName=group["logGroupName"])["logStreams"]
        yield (group["logGroupName"],), [group["creationTime"], [stream["logStreamName"] for stream in streams]]


def identities(aws):
    iam = aws["iam"]
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        yield (name,), [role["RoleId"], attached, iam.list_role_policies(RoleName=name)["PolicyNames"]]
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        yield (policy["Arn"],), [policy["PolicyId"], policy["AttachmentCount"]]
    for user in iam.list_users()["Users"]:
        yield (user["UserName"],), [user["UserId"], iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]]


def tables(aws):
    for name in aws["dynamodb"].list_tables()["TableNames"]:
        yield (name,), [aws["dynamodb"].describe_table(TableName=name)["Table"]["CreationDateTime"], aws["dynamodb"].scan(TableName=name)["Items"]]


def buckets(aws):
    for bucket in aws["s3"].list_buckets()["Buckets"]:
        objects = aws["s3"].list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])
        yield (bucket["Name"],), [[one["Key"], one["ETag"], one["LastModified"]] for one in objects]


def networks(aws):
    ec2 = aws["ec2"]
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        yield (vpc["VpcId"],), vpc
    for subnet in ec2.describe_subnets()["Subnets"]:
        yield (subnet["SubnetId"],), subnet
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        yield (group["GroupId"],), group


def machines(aws):
    for machine in aws["stepfunctions"].list_state_machines()["stateMachines"]:
        yield (machine["stateMachineArn"],), machine


def streams(aws):
    for name in aws["kinesis"].list_streams()["StreamNames"]:
        yield (name,), aws["kinesis"].describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamCreationTimestamp"]


def repositories(aws):
    for repository in aws["ecr"].describe_repositories()["repositories"]:
        yield (repository["repositoryName"],), repository


def zones(aws):
    for zone in aws["route53"].list_hosted_zones()["HostedZones"]:
        yield (zone["Id"],), zone


def apis(aws):
    for api in aws["apigatewayv2"].get_apis()["Items"]:
        yield (api["ApiId"],), api


def pools(aws):
    for pool in aws["cognito-idp"].list_user_pools(MaxResults=60)["UserPools"]:
        users = aws["cognito-idp"].list_users(UserPoolId=pool["Id"])["Users"]
        yield (pool["Id"],), [user["Username"] for user in users]


def alarms(aws):
    for alarm in aws["cloudwatch"].describe_alarms()["MetricAlarms"]:
        yield (alarm["AlarmName"],), alarm["AlarmConfigurationUpdatedTimestamp"]


LOOKS = (queues, topics, parameters, secrets, keys, rules, groups, identities, tables, buckets, networks, machines, streams, repositories, zones, apis, pools, alarms)
