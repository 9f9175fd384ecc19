"""create-table and what else makes, looks at and removes DynamoDB tables."""

import re
import time
import uuid

import boto3

from checks import scene

OFTEN = {"Delay": 0.05, "MaxAttempts": 200}
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}


def definition(hash_key="id", range_key=None, **more):
    """A table keyed by a string, and by a number where there is a second key."""
    keys = [(hash_key, "S", "HASH"), *([(range_key, "N", "RANGE")] if range_key else [])]
    return {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind, _ in keys],
        "KeySchema": [{"AttributeName": name, "KeyType": role} for name, _, role in keys],
        **ON_DEMAND,
        **more,
    }


def dynamodb(s, operation, /, **parameters):
    return s.call("dynamodb", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "dynamodb", operation, message=message, **parameters)


def table(s, hash_key="id", range_key=None, **more):
    """The name of a table that is active, and goes when the scene ends."""
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    dynamodb(s, "create_table", TableName=name, **definition(hash_key, range_key, **more))
    s.after.callback(remove, s, name)
    s.client("dynamodb").get_waiter("table_exists").wait(TableName=name, WaiterConfig=OFTEN)
    return name


def remove(s, name):
    client = s.client("dynamodb")
    try:
        client.delete_table(TableName=name)
    except client.exceptions.ClientError:
        pass


def resource(s, name):
    """The table through boto3's own types."""
    with s.run.lock:
        return boto3.resource("dynamodb").Table(name)


@scene()
def making(s):
    name = f"making-{uuid.uuid4().hex[:8]}"
    s.after.callback(remove, s, name)
    settings = definition("UserEmail", Tags=[{"Key": "a", "Value": "b"}])
    made = dynamodb(s, "create_table", TableName=name, **settings)["TableDescription"]
    s.same("it is being created", made["TableStatus"], "CREATING")
    s.holds("the ARN", made["TableArn"].endswith(f":table/{name}") and made["TableArn"].startswith("arn:aws:dynamodb:us-east-1:"))
    refused(s, "twice", "ResourceInUseException", "create_table", TableName=name, **settings)
    s.client("dynamodb").get_waiter("table_exists").wait(TableName=name, WaiterConfig=OFTEN)
    found = dynamodb(s, "describe_table", TableName=name)["Table"]
    s.same("it is active", found["TableStatus"], "ACTIVE")
    s.same("on demand", found["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
    s.same("the keys", found["KeySchema"], settings["KeySchema"])
    s.same("empty", found["ItemCount"], 0)
    s.holds("when", abs(found["CreationDateTime"].timestamp() - time.time()) < 60)
    s.same("listed", name in dynamodb(s, "list_tables")["TableNames"], True)
    arn = found["TableArn"]
    s.same("the tags", dynamodb(s, "list_tags_of_resource", ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "b"}])
    dynamodb(s, "tag_resource", ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    dynamodb(s, "untag_resource", ResourceArn=arn, TagKeys=["a"])
    s.same("the tags afterwards", dynamodb(s, "list_tags_of_resource", ResourceArn=arn)["Tags"], [{"Key": "c", "Value": "d"}])


@scene()
def what_a_new_table_has(s):
    name = table(s)
    found = dynamodb(s, "describe_time_to_live", TableName=name)["TimeToLiveDescription"]
    s.same("no time to live", found, {"TimeToLiveStatus": "DISABLED"})
    found = dynamodb(s, "describe_continuous_backups", TableName=name)["ContinuousBackupsDescription"]
    s.same("continuous backups", found["ContinuousBackupsStatus"], "ENABLED")


@scene()
def definitions_that_contradict(s):
    refusals = {
        "an attribute that is no key": definition(),
        "a key that is not defined": definition(),
        "no capacity": definition(),
    }
    refusals["an attribute that is no key"]["AttributeDefinitions"].append({"AttributeName": "x", "AttributeType": "S"})
    refusals["a key that is not defined"]["KeySchema"].append({"AttributeName": "x", "KeyType": "RANGE"})
    refusals["no capacity"]["BillingMode"] = "PROVISIONED"
    for number, (name, settings) in enumerate(refusals.items()):
        s.after.callback(remove, s, f"contradiction-{number}")
        refused(s, name, "ValidationException", "create_table", TableName=f"contradiction-{number}", **settings)


@scene()
def a_table_that_is_not_there(s):
    absent = "Requested resource not found: Table: nope not found"
    for operation in ("describe_table", "delete_table"):
        refused(s, operation, "ResourceNotFoundException", operation, absent, TableName="nope")
    key = {"id": {"S": "b"}}
    refused(s, "get_item", "ResourceNotFoundException", "get_item", "Requested resource not found", TableName="nope", Key=key)
    refused(s, "put_item", "ResourceNotFoundException", "put_item", "Requested resource not found", TableName="nope", Item=key)
    refused(s, "delete_item", "ResourceNotFoundException", "delete_item", "Requested resource not found", TableName="nope", Key=key)
    refused(s, "scan", "ResourceNotFoundException", "scan", "Requested resource not found", TableName="nope")
    one = {"KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": "x"}}}
    refused(s, "query", "ResourceNotFoundException", "query", "Requested resource not found", TableName="nope", **one)
    writes = {"nope": [{"PutRequest": {"Item": key}}]}
    refused(s, "batch_write_item", "ResourceNotFoundException", "batch_write_item", "Requested resource not found", RequestItems=writes)


@scene()
def removing(s):
    name = table(s)
    gone = dynamodb(s, "delete_table", TableName=name)["TableDescription"]
    s.same("it is being deleted", gone["TableStatus"], "DELETING")
    s.client("dynamodb").get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=OFTEN)
    refused(s, "it is gone", "ResourceNotFoundException", "describe_table", TableName=name)
    s.same("not listed", name in dynamodb(s, "list_tables")["TableNames"], False)


@scene(servers=["playbook"])
def removing_twice(s):
    name = table(s)
    dynamodb(s, "delete_table", TableName=name)
    refused(s, "at once", "ResourceInUseException", "delete_table", re.compile(f"Table is being deleted: {name}"), TableName=name)


@scene(servers=["playbook"])
def what_is_not_here(s):
    client = s.client("dynamodb")
    try:
        client.describe_limits()
    except client.exceptions.ClientError as error:
        s.same("an operation", error.response["Error"]["Code"], "UnknownOperationException")
