"""Somebody else in the same account: what is theirs before a run, and what they do while it is under way.

They talk to the server directly. What they do in the middle of a run is of the same kind as the request that is struck: they
make a thing of the same name, attach the same policy, or change the same value.
"""

import io
import json
import zipfile

from botocore.exceptions import ClientError

from inventory import changed, inventory
from servers import eventually

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
OTHER_TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
TEMPLATE = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/theirs/of-a-stack"}}}}
THEIRS = "theirs"
NAMED_LIKE = "theirs-too"


def package(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("theirs.py"), text)
    return buffer.getvalue()


def plant(aws):
    """What is there before a run. Returns the inputs by which playbooks find it."""
    iam = aws["iam"]
    role = iam.create_role(RoleName=THEIRS, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "team", "Value": "theirs"}])["Role"]
    attached, another = (managed_policy(iam, f"{THEIRS}-{name}") for name in ("attached", "another"))
    iam.attach_role_policy(RoleName=THEIRS, PolicyArn=attached)
    iam.put_role_policy(RoleName=THEIRS, PolicyName="kept", PolicyDocument=json.dumps(POLICY))
    iam.put_role_policy(RoleName=THEIRS, PolicyName="replaced", PolicyDocument=json.dumps(POLICY))
    aws["logs"].create_log_group(logGroupName="/theirs/group", tags={"team": "theirs"})
    aws["s3"].create_bucket(Bucket="theirs-bucket")
    aws["s3"].put_object(Bucket="theirs-bucket", Key="theirs.txt", Body=b"theirs")
    table(aws["dynamodb"], THEIRS)
    for key in ("kept", "replaced", "removed"):
        aws["dynamodb"].put_item(TableName=THEIRS, Item={"key": {"S": key}, "value": {"S": "theirs"}})
    pool = aws["cognito-idp"].create_user_pool(PoolName=THEIRS, AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    aws["cognito-idp"].create_user_pool_client(UserPoolId=pool, ClientName=THEIRS)
    user(aws["cognito-idp"], pool, "kept")
    arn = function(aws["lambda"], THEIRS, role["Arn"])
    function(aws["lambda"], NAMED_LIKE, role["Arn"])
    aws["lambda"].add_permission(FunctionName=THEIRS, StatementId="kept", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    aws["cloudformation"].create_stack(StackName=THEIRS, TemplateBody=json.dumps(TEMPLATE))
    eventually(lambda: status(aws, THEIRS) == "CREATE_COMPLETE", 20, "their stack")
    return {"their_pool": pool, "their_function": arn, "policy": another}


def managed_policy(iam, name):
    return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]


def status(aws, name):
    return aws["cloudformation"].describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def table(client, name, schema=("key", "S")):
    key, kind = schema
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
    )
    eventually(lambda: client.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE", 20, "their table")


def function(client, name, role):
    code = {"ZipFile": package("def handler(event, context): return 'theirs'\n")}

    def attempt():
        try:
            return client.create_function(FunctionName=name, Runtime="python3.13", Handler="theirs.handler", Role=role, Code=code)["FunctionArn"]
        except client.exceptions.InvalidParameterValueException:
            return None  # the role is too new

    arn = eventually(attempt, 20, "their function")
    eventually(lambda: client.get_function(FunctionName=name)["Configuration"].get("State", "Active") == "Active", 20, "their function")
    return arn


def user(client, pool, name, **more):
    client.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS", TemporaryPassword="Not-a-secret-1", **more)


class Somebody:
    """Does something in the middle of a run, and knows what came of it."""

    def __init__(self, aws):
        self.aws, self.done, self.theirs, self.failed = aws, [], {}, []

    def act(self, how, request):
        """Once: whatever happens to the same request again, they have done their part."""
        if self.done:
            return
        before = inventory(self.aws)
        try:
            DEEDS[request.operation](self.aws, request.said, how)
        except ClientError as error:
            self.failed.append(f"{request.operation}: {error}")
        new, _gone = changed(before, inventory(self.aws))
        self.done.append(f"{how} {request.operation}")
        self.theirs.update(new)


# What they do where the run would create something: `same` is as like it as can be, but for the run's marks; `like` has the
# same name alone.


def create_role(aws, said, how):
    document = said["AssumeRolePolicyDocument"] if how == "same" else json.dumps(OTHER_TRUST)
    tags = {} if how == "same" else {"Tags": [{"Key": "team", "Value": "theirs"}]}
    aws["iam"].create_role(RoleName=said["RoleName"], AssumeRolePolicyDocument=document, **tags)


def attach_role_policy(aws, said, _how):
    aws["iam"].attach_role_policy(RoleName=said["RoleName"], PolicyArn=said["PolicyArn"])


def put_role_policy(aws, said, how):
    document = said["PolicyDocument"] if how == "same" else json.dumps({**POLICY, "Id": "another"})
    aws["iam"].put_role_policy(RoleName=said["RoleName"], PolicyName=said["PolicyName"], PolicyDocument=document)


def create_function(aws, said, _how):
    function(aws["lambda"], said["FunctionName"], aws["iam"].get_role(RoleName=THEIRS)["Role"]["Arn"])


def add_permission(aws, said, how):
    principal = said["Principal"] if how == "same" else "sns.amazonaws.com"
    more = {"SourceArn": said["SourceArn"]} if how == "same" and "SourceArn" in said else {}
    aws["lambda"].add_permission(
        FunctionName=said["FunctionName"], StatementId=said["StatementId"], Action=said["Action"], Principal=principal, **more
    )


def update_function_configuration(aws, said, _how):
    aws["lambda"].update_function_configuration(FunctionName=said["FunctionName"], Description="changed by somebody else")


def create_log_group(aws, said, how):
    name = said["logGroupName"]
    aws["logs"].create_log_group(logGroupName=name)
    if how == "like":
        aws["logs"].put_retention_policy(logGroupName=name, retentionInDays=30)


def create_bucket(aws, said, _how):
    region = aws["s3"].meta.region_name
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    aws["s3"].create_bucket(Bucket=said["Bucket"], **place)


def put_object(aws, said, how):
    body = b"ours" if how == "same" else b"somebody else's"
    aws["s3"].put_object(Bucket=said["Bucket"], Key=said["Key"], Body=body, ContentType="text/plain")


def create_table(aws, said, how):
    key = said["AttributeDefinitions"][0]
    schema = (key["AttributeName"], key["AttributeType"]) if how == "same" else ("other", "N")
    table(aws["dynamodb"], said["TableName"], schema)


def put_item(aws, said, how):
    # What holds the run's id is not what somebody else would write.
    same = how == "same" and said["Item"].get("value") == {"S": "ours"}
    item = said["Item"] if same else {"key": said["Item"]["key"], "value": {"S": "somebody else's"}}
    aws["dynamodb"].put_item(TableName=said["TableName"], Item=item)


def batch_write_item(aws, said, how):
    for name, requests in said["RequestItems"].items():
        for request in requests[:1]:
            put_item(aws, {"TableName": name, "Item": request["PutRequest"]["Item"]}, how)


def delete_item(aws, said, _how):
    put_item(aws, {"TableName": said["TableName"], "Item": said["Key"]}, "like")


def create_user_pool(aws, said, _how):
    aws["cognito-idp"].create_user_pool(PoolName=said["PoolName"])


def update_user_pool(aws, said, _how):
    pool = aws["cognito-idp"].describe_user_pool(UserPoolId=said["UserPoolId"])["UserPool"]
    other = aws["lambda"].get_function(FunctionName=NAMED_LIKE)["Configuration"]["FunctionArn"]
    triggers = {**pool.get("LambdaConfig", {}), "PreSignUp": other}
    aws["cognito-idp"].update_user_pool(UserPoolId=said["UserPoolId"], AutoVerifiedAttributes=["email"], LambdaConfig=triggers)


def admin_create_user(aws, said, how):
    listed = {"UserAttributes": said["UserAttributes"]} if how == "same" and "UserAttributes" in said else {}
    user(aws["cognito-idp"], said["UserPoolId"], said["Username"], **listed)


def create_stack(aws, said, how):
    resource = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/theirs/in-between"}}
    body = said["TemplateBody"] if how == "same" else json.dumps({"Resources": {"Group": resource}})
    aws["cloudformation"].create_stack(StackName=said["StackName"], TemplateBody=body)
    eventually(lambda: status(aws, said["StackName"]) == "CREATE_COMPLETE", 2.5, "their stack")


DEEDS = {
    "CreateRole": create_role,
    "AttachRolePolicy": attach_role_policy,
    "PutRolePolicy": put_role_policy,
    "CreateFunction": create_function,
    "AddPermission": add_permission,
    "UpdateFunctionConfiguration": update_function_configuration,
    "CreateLogGroup": create_log_group,
    "CreateBucket": create_bucket,
    "PutObject": put_object,
    "CreateTable": create_table,
    "PutItem": put_item,
    "BatchWriteItem": batch_write_item,
    "DeleteItem": delete_item,
    "CreateUserPool": create_user_pool,
    "UpdateUserPool": update_user_pool,
    "AdminCreateUser": admin_create_user,
    "CreateStack": create_stack,
}
# What can be overwritten once it is there.
OVERWRITES = ("PutRolePolicy", "UpdateFunctionConfiguration", "PutObject", "PutItem", "BatchWriteItem", "UpdateUserPool")
