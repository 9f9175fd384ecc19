"""Parameters of Systems Manager: versions, paths, filters, tags."""

import re
import uuid

from botocore.exceptions import ClientError

from checks import pick, scene

NAMES_TEXT = re.compile("Parameter name: can't be prefixed with")


def ssm(s, operation, /, **parameters):
    return s.call("ssm", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "ssm", operation, message=message, **parameters)


def prefix():
    return f"/conformance-{uuid.uuid4().hex[:8]}"


def parameter(s, name, value="v", kind="String", **settings):
    """A parameter that goes when the scene ends."""
    created = ssm(s, "put_parameter", Name=name, Value=value, Type=kind, **settings)
    s.after.callback(remove, s, name)
    return created


def remove(s, name):
    try:
        s.client("ssm").delete_parameter(Name=name)
    except ClientError:
        pass


def names(answer):
    return [found["Name"] for found in answer["Parameters"]]


@scene()
def versions(s):
    name = f"{prefix()}/p"
    s.same("the first", pick(parameter(s, name, "one"), "Version", "Tier"), {"Version": 1, "Tier": "Standard"})
    refused(s, "without overwriting", "ParameterAlreadyExists", "put_parameter", re.compile("The parameter already exists"), Name=name, Value="two", Type="String")
    second = ssm(s, "put_parameter", Name=name, Value="two", Type="String", Overwrite=True)
    s.same("the second", second["Version"], 2)
    found = ssm(s, "get_parameter", Name=name)["Parameter"]
    s.same("the newest", pick(found, "Value", "Version", "Type", "DataType"), {"Value": "two", "Version": 2, "Type": "String", "DataType": "text"})
    s.holds("the ARN", re.fullmatch(rf"arn:aws:ssm:us-east-1:\d{{12}}:parameter{name}", found["ARN"]), found["ARN"])
    s.same("by its ARN", ssm(s, "get_parameter", Name=found["ARN"])["Parameter"]["Name"], name)
    older = ssm(s, "get_parameter", Name=f"{name}:1")["Parameter"]
    s.same("an older one", pick(older, "Name", "Value", "Selector"), {"Name": name, "Value": "one", "Selector": ":1"})
    refused(s, "a version that is none", "ParameterVersionNotFound", "get_parameter", re.compile("could not find version 9"), Name=f"{name}:9")
    history = ssm(s, "get_parameter_history", Name=name)["Parameters"]
    s.same("history", [pick(one, "Version", "Value") for one in history], [{"Version": 1, "Value": "one"}, {"Version": 2, "Value": "two"}])
    ssm(s, "delete_parameter", Name=name)
    refused(s, "gone", "ParameterNotFound", "get_parameter", Name=name)
    refused(s, "deleted twice", "ParameterNotFound", "delete_parameter", Name=name)


@scene()
def what_is_refused(s):
    name = f"{prefix()}/p"
    refused(s, "no type", "ValidationException", "put_parameter", "A parameter type is required when you create a parameter.", Name=name, Value="v")
    refused(s, "a path without a slash", "ValidationException", "put_parameter", "Parameter name must be a fully qualified name.", Name="a/b", Value="v", Type="String")
    refused(s, "a blank", "ValidationException", "put_parameter", NAMES_TEXT, Name="a b", Value="v", Type="String")
    refused(s, "a name of AWS's", "AccessDeniedException", "put_parameter", re.compile("No access to reserved parameter name"), Name="/aws/conformance", Value="v", Type="String")
    refused(s, "a name of the service's", "ValidationException", "put_parameter", NAMES_TEXT, Name="ssm-conformance", Value="v", Type="String")
    refused(s, "too many levels", "HierarchyLevelLimitExceededException", "put_parameter", Name="/a" * 16, Value="v", Type="String")
    refused(s, "too long", "ValidationException", "put_parameter", re.compile("Standard tier parameters support"), Name=f"{name}-long", Value="x" * 4097, Type="String")
    refused(s, "nested", "ValidationException", "put_parameter", re.compile("can't nest another parameter"), Name=f"{name}-nested", Value="{{ssm:other}}", Type="String")
    refused(s, "a pattern", "ParameterPatternMismatchException", "put_parameter", re.compile("cannot be validated against"), Name=f"{name}-digits", Value="x", Type="String", AllowedPattern=r"^\d+$")
    parameter(s, name)
    tags = [{"Key": "a", "Value": "1"}]
    refused(s, "tags over an old one", "ValidationException", "put_parameter", re.compile("tags and overwrite can't be used together"), Name=name, Value="v", Type="String", Overwrite=True, Tags=tags)
    refused(s, "too many names", "ValidationException", "get_parameters", Names=[f"p{number}" for number in range(11)])


@scene()
def secrets(s):
    name = f"{prefix()}/secret"
    parameter(s, name, "hunter2", "SecureString")
    hidden = ssm(s, "get_parameter", Name=name)["Parameter"]["Value"]
    s.holds("hidden", "hunter2" not in hidden)
    s.same("shown", ssm(s, "get_parameter", Name=name, WithDecryption=True)["Parameter"]["Value"], "hunter2")
    listed = parameter(s, f"{name}s", "a,b", "StringList")
    s.same("a list", [listed["Version"], ssm(s, "get_parameter", Name=f"{name}s")["Parameter"]["Value"]], [1, "a,b"])


@scene()
def tiers(s):
    name = f"{prefix()}/p"
    large = "x" * 5000
    s.same("as it needs", parameter(s, name, large, Tier="Intelligent-Tiering")["Tier"], "Advanced")
    refused(s, "down again", "ValidationException", "put_parameter", re.compile("You can't downgrade a parameter"), Name=name, Value="v", Type="String", Tier="Standard", Overwrite=True)


@scene()
def several(s):
    start = prefix()
    for name in ("a", "b"):
        parameter(s, f"{start}/{name}", name)
    got = ssm(s, "get_parameters", Names=[f"{start}/a", f"{start}/x", f"{start}/b"])
    s.same("got", [sorted(names(got)), got["InvalidParameters"]], [[f"{start}/a", f"{start}/b"], [f"{start}/x"]])
    ended = ssm(s, "delete_parameters", Names=[f"{start}/a", f"{start}/x"])
    s.same("deleted", [ended["DeletedParameters"], ended["InvalidParameters"]], [[f"{start}/a"], [f"{start}/x"]])


@scene()
def paths(s):
    start = prefix()
    for name in ("a", "b", "deep/c"):
        parameter(s, f"{start}/{name}")
    parameter(s, f"{start}x/d")
    s.same("one level", sorted(names(ssm(s, "get_parameters_by_path", Path=start))), [f"{start}/a", f"{start}/b"])
    every = sorted(names(ssm(s, "get_parameters_by_path", Path=start, Recursive=True)))
    s.same("every level", every, [f"{start}/a", f"{start}/b", f"{start}/deep/c"])
    first = ssm(s, "get_parameters_by_path", Path=start, MaxResults=1)
    second = ssm(s, "get_parameters_by_path", Path=start, MaxResults=1, NextToken=first["NextToken"])
    s.same("page by page", sorted(names(first) + names(second)), [f"{start}/a", f"{start}/b"])
    s.same("the last page", second.get("NextToken"), None)
    refused(s, "no path", "ValidationException", "get_parameters_by_path", re.compile("must begin with a forward slash"), Path="conformance")
    refused(s, "eleven a page", "ValidationException", "get_parameters_by_path", Path=start, MaxResults=11)


@scene()
def descriptions(s):
    start = prefix()
    parameter(s, f"{start}/a", Description="first", AllowedPattern="v", Tags=[{"Key": "mark", "Value": start}])
    parameter(s, f"{start}/deep/b", "w", "SecureString")

    def described(**parameter_filter):
        return ssm(s, "describe_parameters", ParameterFilters=[parameter_filter])

    found = described(Key="Name", Option="Equals", Values=[f"{start}/a"])["Parameters"][0]
    expected = {"Name": f"{start}/a", "Type": "String", "Description": "first", "AllowedPattern": "v", "Version": 1, "Tier": "Standard", "DataType": "text"}
    s.same("all of it", pick(found, *expected), expected)
    s.same("a value is not described", "Value" in found, False)
    secret = described(Key="Path", Option="Recursive", Values=[f"{start}/deep"])["Parameters"][0]
    s.same("a key", pick(secret, "Type", "KeyId"), {"Type": "SecureString", "KeyId": "alias/aws/ssm"})
    s.same("by the start", sorted(names(described(Key="Name", Option="BeginsWith", Values=[start]))), [f"{start}/a", f"{start}/deep/b"])
    s.same("by a tag", names(described(Key="tag:mark", Values=[start])), [f"{start}/a"])
    s.same("by one level", names(described(Key="Path", Option="OneLevel", Values=[start])), [f"{start}/a"])
    refused(s, "an option that is none", "InvalidFilterOption", "describe_parameters", ParameterFilters=[{"Key": "Tier", "Option": "Contains", "Values": ["Standard"]}])


@scene()
def tags(s):
    name = f"{prefix()}/p"
    parameter(s, name, Tags=[{"Key": "a", "Value": "1"}])

    def listed():
        answer = ssm(s, "list_tags_for_resource", ResourceType="Parameter", ResourceId=name)
        return {tag["Key"]: tag["Value"] for tag in answer["TagList"]}

    ssm(s, "add_tags_to_resource", ResourceType="Parameter", ResourceId=name, Tags=[{"Key": "b", "Value": "2"}])
    s.same("added", listed(), {"a": "1", "b": "2"})
    ssm(s, "remove_tags_from_resource", ResourceType="Parameter", ResourceId=name, TagKeys=["a", "c"])
    s.same("removed", listed(), {"b": "2"})
    refused(s, "no parameter", "InvalidResourceId", "list_tags_for_resource", ResourceType="Parameter", ResourceId=f"{name}x")
