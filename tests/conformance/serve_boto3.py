"""boto3 against the embedded AWS: every operation that the shipped step kinds need, refusals included.

Needs AWS_ENDPOINT_URL, a region and any credentials in the environment, as `playbook serve` prints them.
"""

import base64
import hashlib
import io
import json
import time
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=60)
NAME = "boto3-demo"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
INCREMENT = """
import logging
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    logging.info("incrementing %s", event["number"])
    return {"result": event["number"] + 1, "memory": int(context.memory_limit_in_mb)}
"""
FAIL = """
import os
class Refused(Exception):
    pass
def handler(event, context):
    raise Refused(os.environ["WHY"])
"""

sts, iam, logs, functions = (boto3.client(name, config=CONFIG) for name in ("sts", "iam", "logs", "lambda"))


def package(source):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("code.py"), source)
    return buffer.getvalue()


def refused(code, call, **parameters):
    try:
        answer = call(**parameters)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{found} instead of {code}: {error}"
        assert error.response["Error"]["Message"], "a refusal says why"
        return error
    raise AssertionError(f"{call.__name__} is not refused with {code}: {answer}")


def eventually(look, what):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        seen = look()
        if seen:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"this never happens: {what}")


def roles():
    missing = refused("NoSuchEntity", iam.get_role, RoleName=NAME)
    assert missing.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    made = iam.create_role(
        RoleName=NAME,
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Description="a role",
        Tags=[{"Key": "purpose", "Value": "test"}],
    )["Role"]
    assert made["Arn"].endswith(f":role/{NAME}") and made["RoleId"].startswith("AROA"), made
    refused("EntityAlreadyExists", iam.create_role, RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST))
    refused("MalformedPolicyDocument", iam.create_role, RoleName="other", AssumeRolePolicyDocument="{")
    found = iam.get_role(RoleName=NAME)["Role"]
    assert found["AssumeRolePolicyDocument"] == TRUST, found
    assert found["Tags"] == [{"Key": "purpose", "Value": "test"}], found
    assert NAME in [role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    refused("NoSuchEntity", iam.attach_role_policy, RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")
    iam.attach_role_policy(RoleName=NAME, PolicyArn=BASIC)
    attached = iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}], attached
    statement = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=NAME, PolicyName="read", PolicyDocument=json.dumps(statement))
    assert iam.get_role_policy(RoleName=NAME, PolicyName="read")["PolicyDocument"] == statement
    assert iam.list_role_policies(RoleName=NAME)["PolicyNames"] == ["read"]
    refused("DeleteConflict", iam.delete_role, RoleName=NAME)
    return made["Arn"]


def create(role):
    refused("ResourceNotFoundException", functions.get_function, FunctionName=NAME)
    code = package(INCREMENT)
    settings = {
        "FunctionName": NAME,
        "Runtime": "python3.13",
        "Handler": "code.handler",
        "Role": role,
        "Code": {"ZipFile": code},
        "Tags": {"purpose": "test"},
    }

    def attempt():
        try:
            return functions.create_function(**settings)
        except ClientError as error:
            # A role that was made a moment ago cannot be assumed yet.
            assert error.response["Error"]["Code"] == "InvalidParameterValueException", error
            assert "cannot be assumed by Lambda" in error.response["Error"]["Message"], error
            return None

    made = eventually(attempt, "the role can be assumed")
    assert made["State"] == "Pending", made
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode(), made
    functions.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})
    refused("ResourceConflictException", functions.create_function, **settings)
    found = functions.get_function(FunctionName=NAME)
    assert found["Configuration"]["State"] == "Active" and found["Tags"] == {"purpose": "test"}, found
    assert functions.get_function_configuration(FunctionName=made["FunctionArn"])["Handler"] == "code.handler"
    listed = [function["FunctionName"] for page in functions.get_paginator("list_functions").paginate() for function in page["Functions"]]
    assert listed == [NAME], listed
    return made["FunctionArn"]


def invoke():
    answer = functions.invoke(FunctionName=NAME, Payload=json.dumps({"number": 41}), LogType="Tail")
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer, answer
    assert json.load(answer["Payload"]) == {"result": 42, "memory": 128}
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "START RequestId: " in tail and "incrementing 41" in tail and "REPORT RequestId: " in tail, tail
    assert len(tail) <= 4096
    checked = functions.invoke(FunctionName=NAME, InvocationType="DryRun")
    assert checked["StatusCode"] == 204, checked
    queued = functions.invoke(FunctionName=NAME, InvocationType="Event", Payload=json.dumps({"number": 1}))
    assert queued["StatusCode"] == 202, queued
    broken = functions.invoke(FunctionName=NAME, Payload=json.dumps({}))
    assert broken["FunctionError"] == "Unhandled", broken
    error = json.load(broken["Payload"])
    assert error["errorType"] == "KeyError" and error["errorMessage"] == "'number'" and error["stackTrace"], error
    refused("ResourceNotFoundException", functions.invoke, FunctionName="nobody")
    refused("InvalidRequestContentException", functions.invoke, FunctionName=NAME, Payload=b"{")


def conflict():
    """Changes a function while it is being changed; it may be ready again before the second change arrives."""
    updated = functions.update_function_code(FunctionName=NAME, ZipFile=package(FAIL))
    assert updated["LastUpdateStatus"] == "InProgress", updated
    try:
        functions.update_function_configuration(FunctionName=NAME, Timeout=4)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceConflictException", error
        return True
    finally:
        functions.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})
    return False


def update():
    code = package(FAIL)
    eventually(conflict, "an update is refused while another is under way")
    functions.update_function_configuration(FunctionName=NAME, Timeout=5, MemorySize=256, Environment={"Variables": {"WHY": "because"}})
    functions.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})
    found = functions.get_function_configuration(FunctionName=NAME)
    assert (found["Timeout"], found["MemorySize"]) == (5, 256), found
    assert found["Environment"] == {"Variables": {"WHY": "because"}}, found
    assert found["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode(), found
    answer = functions.invoke(FunctionName=NAME, Payload=b"{}")
    error = json.load(answer["Payload"])
    assert (error["errorType"], error["errorMessage"]) == ("Refused", "because"), error


def permissions(arn):
    refused("ResourceNotFoundException", functions.get_policy, FunctionName=NAME)
    grant = {
        "FunctionName": NAME,
        "StatementId": "pool",
        "Action": "lambda:InvokeFunction",
        "Principal": "cognito-idp.amazonaws.com",
        "SourceArn": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_demo",
    }
    statement = json.loads(functions.add_permission(**grant)["Statement"])
    assert statement["Sid"] == "pool" and statement["Resource"] == arn, statement
    refused("ResourceConflictException", functions.add_permission, **grant)
    policy = json.loads(functions.get_policy(FunctionName=NAME)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["pool"], policy
    functions.remove_permission(FunctionName=NAME, StatementId="pool")
    refused("ResourceNotFoundException", functions.remove_permission, FunctionName=NAME, StatementId="pool")


def log_groups():
    group = f"/aws/lambda/{NAME}"

    def messages():
        events = [event for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group) for event in page["events"]]
        return [event["message"] for event in events]

    eventually(lambda: any("incrementing 41" in message for message in messages()), "the log shows up")
    streams = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    assert streams and "[$LATEST]" in streams[0]["logStreamName"], streams
    first = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True)
    assert first["events"] and first["nextForwardToken"], first
    logs.create_log_group(logGroupName="/demo/boto3", tags={"purpose": "test"})
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName="/demo/boto3")
    logs.put_retention_policy(logGroupName="/demo/boto3", retentionInDays=7)
    refused("InvalidParameterException", logs.put_retention_policy, logGroupName="/demo/boto3", retentionInDays=8)
    found = logs.describe_log_groups(logGroupNamePrefix="/demo/")["logGroups"]
    assert [(it["logGroupName"], it["retentionInDays"]) for it in found] == [("/demo/boto3", 7)], found
    resource = found[0]["arn"].removesuffix(":*")
    assert logs.list_tags_for_resource(resourceArn=resource)["tags"] == {"purpose": "test"}
    for name in (group, "/demo/boto3"):
        logs.delete_log_group(logGroupName=name)
        refused("ResourceNotFoundException", logs.delete_log_group, logGroupName=name)


def delete():
    functions.delete_function(FunctionName=NAME)
    refused("ResourceNotFoundException", functions.delete_function, FunctionName=NAME)
    assert functions.list_functions()["Functions"] == []
    iam.detach_role_policy(RoleName=NAME, PolicyArn=BASIC)
    refused("NoSuchEntity", iam.detach_role_policy, RoleName=NAME, PolicyArn=BASIC)
    iam.delete_role_policy(RoleName=NAME, PolicyName="read")
    iam.delete_role(RoleName=NAME)
    refused("NoSuchEntity", iam.delete_role, RoleName=NAME)


identity = sts.get_caller_identity()
assert identity["Account"] == "000000000000" and ":" in identity["Arn"], identity
role = roles()
arn = create(role)
invoke()
update()
permissions(arn)
log_groups()
delete()
print("every operation answers as boto3 expects")
