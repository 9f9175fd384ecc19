"""deploy-stack, stack-outputs, and what else makes, looks at and removes stacks."""

import json
import re
import time
import uuid
from pathlib import Path

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from checks import eventually, scene

CAPABILITY = {"Capabilities": ["CAPABILITY_IAM"]}
GROUP = "Resources: {G: {Type: AWS::Logs::LogGroup}}"
WHOLE = Path(__file__).with_name("stack.yaml").read_text(encoding="utf-8")
KNOWN_USERS = Path(__file__).parents[2] / "playbooks/templates/known-users.yaml"


def cloudformation(s, operation, /, **parameters):
    return s.call("cloudformation", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "cloudformation", operation, message=message, **parameters)


def name_of(s):
    """A name for a stack, which goes when the scene ends."""
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    s.after.callback(remove, s, name)
    return name


def remove(s, name):
    client = s.client("cloudformation")
    try:
        client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    except (ClientError, ResponseParserError):
        pass
    try:
        client.delete_stack(StackName=name)
        settled(s, name)
    except (ClientError, ResponseParserError):
        pass


def settled(s, name):
    """The stack when nothing is under way any more; the status GONE when nobody knows it."""

    def look():
        try:
            found = s.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError:
            return {"StackStatus": "GONE"}
        return None if found["StackStatus"].endswith("_IN_PROGRESS") else found

    return eventually(look, 30) or {"StackStatus": "for ever under way"}


def stack(s, template, name=None, **more):
    """Makes a stack and waits."""
    name = name or name_of(s)
    cloudformation(s, "create_stack", StackName=name, TemplateBody=template, **{**CAPABILITY, **more})
    return name, settled(s, name)


def events(s, name, *statuses):
    found = s.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=name)
    listed = [event for page in found for event in page["StackEvents"]]
    return [event for event in listed if not statuses or event["ResourceStatus"] in statuses]


def outputs(found):
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def parameters(**given):
    return {"Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]}


@scene()
def deploying(s):
    name = name_of(s)
    request = {"StackName": name, "TemplateBody": WHOLE, **CAPABILITY, "ClientRequestToken": "token-1"}
    request["Tags"] = [{"Key": "purpose", "Value": "test"}]
    arn = cloudformation(s, "create_stack", **request)["StackId"]
    s.holds("the id", re.fullmatch(rf"arn:aws:cloudformation:us-east-1:\d{{12}}:stack/{name}/[0-9a-f-]{{36}}", arn), arn)
    found = settled(s, name)
    reasons = [event.get("ResourceStatusReason") for event in events(s, name, "CREATE_FAILED")]
    s.same("the status", [found["StackStatus"], reasons], ["CREATE_COMPLETE", []])
    s.same("the outputs", sorted(outputs(found)), ["B64", "FnArn", "Stream", "TableName"])
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found["Parameters"]}
    s.same("the parameters", given, {"Stage": "test", "Memory": "128", "Names": "a, b", "Secret": "****"})
    s.same("the tags", found["Tags"], request["Tags"])
    s.same("the description", found["Description"], "A function")
    made = cloudformation(s, "describe_stack_resources", StackName=name)["StackResources"]
    s.same("the resources", sorted(each["LogicalResourceId"] for each in made), ["Fn", "Group", "Permission", "Policy", "Role", "Table"])
    s.same("their status", sorted({each["ResourceStatus"] for each in made}), ["CREATE_COMPLETE"])
    function = next(each["PhysicalResourceId"] for each in made if each["LogicalResourceId"] == "Fn")
    s.holds("a generated name", re.fullmatch(rf"{name}-Fn-[A-Za-z0-9]{{12}}", function), function.replace(name, "NAME"))
    one = cloudformation(s, "describe_stack_resource", StackName=name, LogicalResourceId="Fn")["StackResourceDetail"]
    s.same("one resource", one["PhysicalResourceId"], function)
    s.same("a list of them", len(cloudformation(s, "list_stack_resources", StackName=name)["StackResourceSummaries"]), 6)
    body = cloudformation(s, "get_template", StackName=name)["TemplateBody"]
    s.same("the template", body == WHOLE, True)
    listed = cloudformation(s, "list_stacks", StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
    s.same("listed", name in [each["StackName"] for each in listed], True)
    told = events(s, arn)
    s.same("the newest event first", [told[0]["ResourceStatus"], told[0]["ResourceType"]], ["CREATE_COMPLETE", "AWS::CloudFormation::Stack"])
    s.same("the oldest event", [told[-1].get("ResourceStatusReason"), told[-1].get("ClientRequestToken")], ["User Initiated", "token-1"])


@scene()
def deploying_twice(s):
    name = name_of(s)
    request = {"StackName": name, "TemplateBody": GROUP, "ClientRequestToken": "token-1"}
    arn = cloudformation(s, "create_stack", **request)["StackId"]
    refused(s, "with another token", "AlreadyExistsException", "create_stack", f"Stack [{name}] already exists", **{**request, "ClientRequestToken": "b"})
    try:
        again = cloudformation(s, "create_stack", **request)["StackId"]
        s.same("with the same token", "the same stack" if again == arn else "another stack", "the same stack")
    except ClientError as error:
        s.same("with the same token", error.response["Error"]["Code"], "the same stack")


@scene()
def what_a_stack_has_made(s):
    name, found = stack(s, WHOLE, Tags=[{"Key": "purpose", "Value": "test"}])
    made = cloudformation(s, "describe_stack_resources", StackName=name)["StackResources"]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made}
    function = s.call("lambda", "get_function", FunctionName=physical["Fn"])
    s.same("memory and time", [function["Configuration"]["MemorySize"], function["Configuration"]["Timeout"]], [128, 5])
    tags = function.get("Tags", {})
    s.same("the function's tags", {name: tags.get(name) for name in ("own", "purpose")}, {"own": "b", "purpose": "test"})
    variables = function["Configuration"]["Environment"]["Variables"]
    s.same("variables", variables, {"TABLE_NAME": outputs(found)["TableName"], "STAGE": "test-us-east-1", "Timeout": "3"})
    s.same("the permission", physical["Fn"] in s.call("lambda", "get_policy", FunctionName=physical["Fn"])["Policy"], True)
    policies = s.call("iam", "list_role_policies", RoleName=physical["Role"])["PolicyNames"]
    s.same("inline policies", sorted(policies), ["extra", "inline"])
    document = s.call("iam", "get_role_policy", RoleName=physical["Role"], PolicyName="inline")["PolicyDocument"]
    s.same("with a condition", document["Statement"][0].get("Condition"), {"StringEquals": {"aws:RequestedRegion": "us-east-1"}})
    tags = {tag["Key"]: tag["Value"] for tag in s.call("iam", "list_role_tags", RoleName=physical["Role"])["Tags"]}
    s.same("the role's tags", tags.get("purpose"), "test")
    ttl = s.call("dynamodb", "describe_time_to_live", TableName=physical["Table"])["TimeToLiveDescription"]
    s.same("time to live", ttl.get("AttributeName"), "until")
    groups = s.call("logs", "describe_log_groups", logGroupNamePrefix=f"/aws/lambda/{physical['Fn']}")["logGroups"]
    s.same("retention", [group.get("retentionInDays") for group in groups], [1])


@scene(servers=["playbook"])
def its_function_runs(s):
    name, found = stack(s, WHOLE)
    function = outputs(found)["FnArn"]
    answer = s.client("lambda").invoke(FunctionName=function, Payload=b'{"x": 1}')
    expected = {"table": outputs(found)["TableName"], "stage": "test-us-east-1", "got": {"x": 1}}
    s.same("what it says", json.load(answer["Payload"]), expected)


@scene()
def other_parameters(s):
    name, found = stack(s, WHOLE, **parameters(Stage="prod", Memory="256"))
    s.same("the status", found["StackStatus"], "CREATE_COMPLETE")
    s.same("a conditional output", "Prod" in outputs(found), True)


@scene()
def removing(s):
    name, found = stack(s, GROUP)
    cloudformation(s, "delete_stack", StackName=name)
    s.same("by id it is still known", settled(s, found["StackId"])["StackStatus"], "DELETE_COMPLETE")
    refused(s, "by name it is not", "ValidationError", "describe_stacks", f"Stack with id {name} does not exist", StackName=name)
    refused(s, "nor are its events", "ValidationError", "describe_stack_events", StackName=name)
    cloudformation(s, "delete_stack", StackName=name)
    cloudformation(s, "delete_stack", StackName="never-was")


@scene()
def a_stack_that_is_not_there(s):
    refused(s, "describe", "ValidationError", "describe_stacks", "Stack with id nope does not exist", StackName="nope")
    refused(s, "resources", "ValidationError", "describe_stack_resources", StackName="nope")
    refused(s, "template", "ValidationError", "get_template", StackName="nope")


@scene()
def somebody_elses_policy_keeps_the_role(s):
    name, found = stack(s, WHOLE)
    made = cloudformation(s, "describe_stack_resources", StackName=name)["StackResources"]
    role = next(each["PhysicalResourceId"] for each in made if each["LogicalResourceId"] == "Role")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    s.call("iam", "put_role_policy", RoleName=role, PolicyName="foreign", PolicyDocument=json.dumps(document))
    cloudformation(s, "delete_stack", StackName=name)
    after = settled(s, found["StackId"])
    s.same("the status", after["StackStatus"], "DELETE_FAILED")
    s.holds("which", "[Role]" in after.get("StackStatusReason", ""), after.get("StackStatusReason"))
    s.call("iam", "delete_role_policy", RoleName=role, PolicyName="foreign")
    cloudformation(s, "delete_stack", StackName=name)
    s.same("then it goes", settled(s, found["StackId"])["StackStatus"], "DELETE_COMPLETE")


@scene()
def rolling_back(s):
    group = f"taken-{uuid.uuid4().hex[:8]}"
    s.call("logs", "create_log_group", logGroupName=group)
    s.after.callback(s.client("logs").delete_log_group, logGroupName=group)
    template = f"Resources: {{A: {{Type: AWS::Logs::LogGroup}}, G: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: {group}}}}}}}"
    name, found = stack(s, template)
    s.same("the status", found["StackStatus"], "ROLLBACK_COMPLETE")
    failed = events(s, name, "CREATE_FAILED")
    s.same("what failed", [event["LogicalResourceId"] for event in failed if event["LogicalResourceId"] != "A"], ["G"])
    s.holds("why", all("already exists" in event["ResourceStatusReason"] for event in failed if event["LogicalResourceId"] == "G"))
    refused(s, "its name is taken", "AlreadyExistsException", "create_stack", StackName=name, TemplateBody=GROUP)
    left = s.call("logs", "describe_log_groups", logGroupNamePrefix=group)["logGroups"]
    s.same("what was there stays", [each["logGroupName"] for each in left], [group])


@scene()
def what_happens_on_failure(s):
    group = f"taken-{uuid.uuid4().hex[:8]}"
    s.call("logs", "create_log_group", logGroupName=group)
    s.after.callback(s.client("logs").delete_log_group, logGroupName=group)
    template = f"Resources: {{G: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: {group}}}}}}}"
    _, found = stack(s, template, OnFailure="DO_NOTHING")
    s.same("nothing", found["StackStatus"], "CREATE_FAILED")
    arn = cloudformation(s, "create_stack", StackName=name_of(s), TemplateBody=template, OnFailure="DELETE")["StackId"]
    s.same("deletion", settled(s, arn)["StackStatus"], "DELETE_COMPLETE")


@scene()
def what_is_retained(s):
    group = f"kept-{uuid.uuid4().hex[:8]}"
    template = f"Resources: {{G: {{Type: AWS::Logs::LogGroup, DeletionPolicy: Retain, Properties: {{LogGroupName: {group}}}}}}}"
    name, found = stack(s, template)
    cloudformation(s, "delete_stack", StackName=name)
    s.same("the stack goes", settled(s, found["StackId"])["StackStatus"], "DELETE_COMPLETE")
    left = s.call("logs", "describe_log_groups", logGroupNamePrefix=group)["logGroups"]
    s.same("the group stays", [each["logGroupName"] for each in left], [group])
    s.call("logs", "delete_log_group", logGroupName=group)


@scene()
def protected(s):
    name, _ = stack(s, GROUP, EnableTerminationProtection=True)
    message = re.compile("cannot be deleted while TerminationProtection is enabled")
    refused(s, "it stays", "ValidationError", "delete_stack", message, StackName=name)
    cloudformation(s, "update_termination_protection", StackName=name, EnableTerminationProtection=False)
    cloudformation(s, "delete_stack", StackName=name)
    s.same("it goes", settled(s, name)["StackStatus"], "GONE")


@scene(servers=["playbook"])
def cancelled(s):
    """Deleted while it is being made."""
    name = name_of(s)
    arn = cloudformation(s, "create_stack", StackName=name, TemplateBody=WHOLE, **CAPABILITY)["StackId"]
    time.sleep(0.05)
    cloudformation(s, "delete_stack", StackName=name)
    s.same("the status", settled(s, arn)["StackStatus"], "DELETE_COMPLETE")


@scene()
def the_template_of_the_scenarios(s):
    name, found = stack(s, KNOWN_USERS.read_text(encoding="utf-8"))
    s.same("the status", found["StackStatus"], "CREATE_COMPLETE")
    told = outputs(found)
    s.same("the outputs", sorted(told), ["FunctionRoleArn", "TableName", "UserPoolArn", "UserPoolClientId", "UserPoolId"])
    pool = s.cognito("describe_user_pool", UserPoolId=told["UserPoolId"])["UserPool"]
    s.same("the pool", pool["Arn"], told["UserPoolArn"])
    both = {"UserPoolId": told["UserPoolId"], "ClientId": told["UserPoolClientId"]}
    client = s.cognito("describe_user_pool_client", **both)["UserPoolClient"]
    s.same("the client's flow", "ALLOW_USER_PASSWORD_AUTH" in client.get("ExplicitAuthFlows", []), True)
    s.same("no secret", "ClientSecret" in client, False)
