"""IAM roles and policies, and who one is."""

import json
import re
import uuid

from botocore.exceptions import ClientError

from checks import pick, scene

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b+ c/*"}]}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
TRUSTED = {"AssumeRolePolicyDocument": json.dumps(TRUST)}


def iam(s, operation, /, **parameters):
    return s.call("iam", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "iam", operation, message=message, **parameters)


def role(s, **settings):
    """The name of a role that goes when the scene ends."""
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    iam(s, "create_role", RoleName=name, **{**TRUSTED, **settings})
    s.after.callback(remove, s, name)
    return name


def remove(s, name):
    client = s.client("iam")
    try:
        for attached in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        for inline in client.list_role_policies(RoleName=name)["PolicyNames"]:
            client.delete_role_policy(RoleName=name, PolicyName=inline)
        client.delete_role(RoleName=name)
    except ClientError:
        pass


@scene()
def who_one_is(s):
    found = s.call("sts", "get_caller_identity")
    s.same("what is told", sorted(pick(found, "Account", "Arn", "UserId")), ["Account", "Arn", "UserId"])
    s.holds("the account", re.fullmatch(r"\d{12}", found["Account"]) and found["Account"] in found["Arn"], found["Arn"])
    s.same("the same person again", s.call("sts", "get_caller_identity")["UserId"], found["UserId"])


@scene()
def making(s):
    tags = [{"Key": "purpose", "Value": "abc"}, {"Key": "e", "Value": ""}]
    name = role(s, Path="/a/b/", Description="x <&> é", MaxSessionDuration=7200, Tags=tags)
    found = iam(s, "get_role", RoleName=name)["Role"]
    s.holds("the ARN", re.fullmatch(rf"arn:aws:iam::\d{{12}}:role/a/b/{name}", found["Arn"]), found["Arn"])
    expected = {"AssumeRolePolicyDocument": TRUST, "Description": "x <&> é", "MaxSessionDuration": 7200, "Path": "/a/b/"}
    for member, wanted in expected.items():
        s.same(member, found.get(member), wanted)
    s.same("the tags", sorted(found.get("Tags", []), key=lambda tag: tag["Key"]), sorted(tags, key=lambda tag: tag["Key"]))
    message = f"Role with name {name} already exists."
    refused(s, "twice", "EntityAlreadyExists", "create_role", message, RoleName=name, **TRUSTED)
    pages = s.client("iam").get_paginator("list_roles").paginate(PathPrefix="/a/b/", PaginationConfig={"PageSize": 1})
    s.same("listed", [each["RoleName"] for page in pages for each in page["Roles"]], [name])


@scene()
def in_other_letters(s):
    name = role(s)
    s.same("found", iam(s, "get_role", RoleName=name.upper())["Role"]["RoleName"], name)


@scene()
def roles_that_are_refused(s):
    wrong = json.dumps(TRUST).replace("lambda.amazonaws.com", "lamda")
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    refusals = {
        "no JSON": ("MalformedPolicyDocument", None, {"AssumeRolePolicyDocument": "{nope"}),
        "nobody to trust": ("MalformedPolicyDocument", 'Invalid principal in policy: "SERVICE":"lamda"', {"AssumeRolePolicyDocument": wrong}),
        "a long name": ("ValidationError", re.compile("less than or equal to 64"), {"RoleName": "r" * 65, **TRUSTED}),
        "a name with a blank": ("ValidationError", re.compile(re.escape("following: +=,.@_-")), {"RoleName": "r 2", **TRUSTED}),
        "a tag twice": ("InvalidInput", re.compile("Duplicate tag keys"), {"Tags": twice, **TRUSTED}),
    }
    for number, (name, (code, message, settings)) in enumerate(refusals.items()):
        request = {"RoleName": f"refused-{number}", **settings}
        s.after.callback(remove, s, request["RoleName"])
        refused(s, name, code, "create_role", message, **request)


@scene()
def attaching(s):
    name = role(s)
    iam(s, "attach_role_policy", RoleName=name, PolicyArn=BASIC)
    iam(s, "attach_role_policy", RoleName=name, PolicyArn=BASIC)
    found = iam(s, "list_attached_role_policies", RoleName=name)["AttachedPolicies"]
    s.same("attached once", found, [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}])
    nothing = "arn:aws:iam::aws:policy/NoSuchPolicy"
    message = f"Policy {nothing} does not exist or is not attachable."
    refused(s, "a policy that is none", "NoSuchEntity", "attach_role_policy", message, RoleName=name, PolicyArn=nothing)
    message = "The role with name nope cannot be found."
    refused(s, "a role that is none", "NoSuchEntity", "attach_role_policy", message, RoleName="nope", PolicyArn=BASIC)
    refused(s, "a role's ARN", "InvalidInput", "attach_role_policy", RoleName=name, PolicyArn="arn:aws:iam::aws:role/xxxxx")
    refused(s, "a policy in the way", "DeleteConflict", "delete_role", "Cannot delete entity, must detach all policies first.", RoleName=name)
    iam(s, "detach_role_policy", RoleName=name, PolicyArn=BASIC)
    refused(s, "detached twice", "NoSuchEntity", "detach_role_policy", RoleName=name, PolicyArn=BASIC)


@scene()
def inline_policies(s):
    name = role(s)
    iam(s, "put_role_policy", RoleName=name, PolicyName="in", PolicyDocument=json.dumps(DOCUMENT))
    s.same("the document", iam(s, "get_role_policy", RoleName=name, PolicyName="in")["PolicyDocument"], DOCUMENT)
    s.same("listed", iam(s, "list_role_policies", RoleName=name)["PolicyNames"], ["in"])
    refused(s, "a trust policy", "MalformedPolicyDocument", "put_role_policy", RoleName=name, PolicyName="x", PolicyDocument=json.dumps(TRUST))
    message = "The role policy with name x cannot be found."
    for operation in ("get_role_policy", "delete_role_policy"):
        refused(s, operation, "NoSuchEntity", operation, message, RoleName=name, PolicyName="x")
    refused(s, "in the way", "DeleteConflict", "delete_role", "Cannot delete entity, must delete policies first.", RoleName=name)
    iam(s, "delete_role_policy", RoleName=name, PolicyName="in")
    iam(s, "delete_role", RoleName=name)
    message = f"The role with name {name} cannot be found."
    for operation in ("get_role", "delete_role"):
        refused(s, f"gone: {operation}", "NoSuchEntity", operation, message, RoleName=name)


@scene()
def managed_policies(s):
    settings = {"PolicyName": "conformance", "PolicyDocument": json.dumps(DOCUMENT)}
    made = iam(s, "create_policy", Path="/x/", Description="d", **settings)["Policy"]
    arn = made["Arn"]
    s.holds("the ARN", re.fullmatch(r"arn:aws:iam::\d{12}:policy/x/conformance", arn), arn)
    s.same("the first version", made["DefaultVersionId"], "v1")
    message = "A policy called conformance already exists. Duplicate names are not allowed."
    refused(s, "twice", "EntityAlreadyExists", "create_policy", message, **settings)
    found = iam(s, "get_policy_version", PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    s.same("the document", found["Document"], DOCUMENT)
    refused(s, "another version", "NoSuchEntity", "get_policy_version", PolicyArn=arn, VersionId="v2")
    name = role(s)
    iam(s, "attach_role_policy", RoleName=name, PolicyArn=arn)
    s.same("attached", iam(s, "get_policy", PolicyArn=arn)["Policy"]["AttachmentCount"], 1)
    refused(s, "in use", "DeleteConflict", "delete_policy", "Cannot delete a policy attached to entities.", PolicyArn=arn)
    iam(s, "detach_role_policy", RoleName=name, PolicyArn=arn)
    iam(s, "delete_policy", PolicyArn=arn)
    refused(s, "gone", "NoSuchEntity", "get_policy", f"Policy {arn} was not found.", PolicyArn=arn)
    refused(s, "AWS's own", "AccessDenied", "delete_policy", PolicyArn=BASIC)
