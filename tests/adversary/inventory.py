"""Everything that is in an account, as boto3 sees it, asked of the server itself and not through the proxy.

An inventory is a flat map: what a thing is (its type, what it is in, its name) to how it is. What changes by being looked
at, or whenever anything is done, is left out; ids and times of creation are in it, so that something that was deleted and
made again is not the same.
"""

import json
from typing import NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from servers import KEYS, REGION

CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, s3={"addressing_style": "path"}, parameter_validation=False)
SERVICES = ("iam", "lambda", "logs", "s3", "dynamodb", "cognito-idp", "cloudformation")
# Of a function's configuration, what somebody has decided.
DECIDED = ("FunctionArn", "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "CodeSha256", "Environment")


class Thing(NamedTuple):
    """What something is."""

    type: str
    within: str
    name: str

    def __str__(self):
        return f"{self.type} {self.name}" + (f" in {self.within}" if self.within else "")


def clients(url, region=REGION):
    keys = {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
    session = boto3.Session(region_name=region, **keys)
    return {name: session.client(name, endpoint_url=url, config=CONFIG) for name in SERVICES}


def inventory(aws):
    """What is there, of all services."""
    found = {}
    for part in (roles, functions, log_groups, buckets, tables, pools, stacks):
        for thing, picture in part(aws):
            found[thing] = json.loads(json.dumps(picture, sort_keys=True, default=str))
    return found


def pages(client, operation, member, **parameters):
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[member]


def unless_gone(call, *codes, otherwise=None):
    """What a call answers; something else where what it asks for is not there."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return otherwise
        raise


def tags_of(listed):
    return sorted((tag["Key"], tag["Value"]) for tag in listed)


def roles(aws):
    iam = aws["iam"]
    for role in pages(iam, "list_roles", "Roles"):
        name = role["RoleName"]
        decided = {key: role.get(key) for key in ("RoleId", "Path", "Description", "AssumeRolePolicyDocument", "CreateDate")}
        yield Thing("AWS::IAM::Role", "", name), {**decided, "tags": tags_of(iam.list_role_tags(RoleName=name)["Tags"])}
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            yield Thing("AWS::IAM::RolePolicyAttachment", name, policy["PolicyArn"].rpartition("/")[2]), True
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            yield Thing("AWS::IAM::RolePolicy", name, policy), document


def functions(aws):
    client = aws["lambda"]
    for function in pages(client, "list_functions", "Functions"):
        name = function["FunctionName"]
        tags = unless_gone(lambda: client.list_tags(Resource=function["FunctionArn"])["Tags"], "ResourceNotFoundException")
        yield Thing("AWS::Lambda::Function", "", name), {**{key: function.get(key) for key in DECIDED}, "tags": tags}
        policy = unless_gone(lambda: client.get_policy(FunctionName=name)["Policy"], "ResourceNotFoundException", otherwise="{}")
        for statement in json.loads(policy).get("Statement", []):
            yield Thing("AWS::Lambda::Permission", name, statement["Sid"]), statement


def log_groups(aws):
    client = aws["logs"]
    for group in pages(client, "describe_log_groups", "logGroups"):
        arn = group["arn"].removesuffix(":*")
        tags = unless_gone(lambda: client.list_tags_for_resource(resourceArn=arn)["tags"], "ResourceNotFoundException")
        decided = {key: group.get(key) for key in ("creationTime", "retentionInDays")}
        yield Thing("AWS::Logs::LogGroup", "", group["logGroupName"]), {**decided, "tags": tags}


def buckets(aws):
    s3 = aws["s3"]
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        tags = unless_gone(lambda: s3.get_bucket_tagging(Bucket=name)["TagSet"], "NoSuchTagSet", otherwise=[])
        yield Thing("AWS::S3::Bucket", "", name), {"made": bucket["CreationDate"], "tags": tags_of(tags)}
        for listed in s3.list_objects_v2(Bucket=name).get("Contents", []):
            head = s3.head_object(Bucket=name, Key=listed["Key"])
            picture = {key: head.get(key) for key in ("ETag", "ContentLength", "Metadata", "LastModified")}
            yield Thing("AWS::S3::Object", name, listed["Key"]), picture


def tables(aws):
    client = aws["dynamodb"]
    for name in pages(client, "list_tables", "TableNames"):
        table = client.describe_table(TableName=name)["Table"]
        listed = client.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", [])
        decided = {key: table.get(key) for key in ("TableId", "CreationDateTime", "KeySchema", "AttributeDefinitions")}
        yield Thing("AWS::DynamoDB::Table", "", name), {**decided, "tags": tags_of(listed)}
        keys = [key["AttributeName"] for key in table["KeySchema"]]
        for item in client.scan(TableName=name, ConsistentRead=True)["Items"]:
            label = "/".join(next(iter(item[key].values())) for key in keys)
            yield Thing("AWS::DynamoDB::Item", name, label), item


def pools(aws):
    client = aws["cognito-idp"]
    for listed in pages(client, "list_user_pools", "UserPools", PaginationConfig={"PageSize": 60}):
        pool_id = listed["Id"]
        pool = client.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        decided = {key: pool.get(key) or None for key in ("Name", "LambdaConfig", "AutoVerifiedAttributes", "UserPoolTags", "CreationDate")}
        yield Thing("AWS::Cognito::UserPool", "", pool_id), decided
        for member in pages(client, "list_user_pool_clients", "UserPoolClients", UserPoolId=pool_id):
            yield Thing("AWS::Cognito::UserPoolClient", pool_id, member["ClientId"]), {"Name": member["ClientName"]}
        for user in pages(client, "list_users", "Users", UserPoolId=pool_id):
            picture = {key: user.get(key) for key in ("Attributes", "Enabled", "UserStatus", "UserCreateDate")}
            yield Thing("AWS::Cognito::UserPoolUser", pool_id, user["Username"]), picture


def stacks(aws):
    for stack in pages(aws["cloudformation"], "describe_stacks", "Stacks"):
        if stack["StackStatus"] != "DELETE_COMPLETE":
            decided = {key: stack.get(key) for key in ("StackId", "StackStatus", "CreationTime", "Parameters")}
            yield Thing("AWS::CloudFormation::Stack", "", stack["StackName"]), {**decided, "tags": tags_of(stack.get("Tags", []))}


def changed(before, after):
    """What somebody has made or changed between two inventories, and what is gone."""
    new = {thing: picture for thing, picture in after.items() if before.get(thing, changed) != picture}
    return new, [thing for thing in before if thing not in after]
