"""Templates that are described, and those that are refused."""

import re

from checks import scene
from stacks import CAPABILITY, GROUP, WHOLE, cloudformation, events, name_of, parameters, refused, remove, settled, stack

BOUNDED = f"""
Parameters: {{N: {{Type: Number, MinValue: 3}}, S: {{Type: String, AllowedPattern: "[a-z]+", Default: ok}}}}
{GROUP}
"""
STATEMENT = "{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}"
TWO = "Resources: {G: {Type: AWS::Logs::LogGroup}, H: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: %s}}}"


@scene()
def described(s):
    found = cloudformation(s, "validate_template", TemplateBody=WHOLE)
    s.same("capabilities", found.get("Capabilities"), ["CAPABILITY_IAM"])
    s.same("parameters", sorted(each["ParameterKey"] for each in found["Parameters"]), ["Memory", "Names", "Secret", "Stage"])
    s.same("a description", found.get("Description"), "A function")
    found = cloudformation(s, "get_template_summary", TemplateBody=WHOLE)
    s.same("resource types", "AWS::Lambda::Function" in found["ResourceTypes"], True)
    stage = next(each for each in found["Parameters"] if each["ParameterKey"] == "Stage")
    s.same("what is allowed", stage.get("ParameterConstraints"), {"AllowedValues": ["test", "prod"]})


@scene()
def capabilities(s):
    message = "Requires capabilities : [CAPABILITY_IAM]"
    refused(s, "none", "InsufficientCapabilitiesException", "create_stack", message, StackName=name_of(s), TemplateBody=WHOLE)
    named = "Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: x, AssumeRolePolicyDocument: {}}}}"
    message = "Requires capabilities : [CAPABILITY_NAMED_IAM]"
    refused(s, "a name", "InsufficientCapabilitiesException", "create_stack", message, StackName=name_of(s), TemplateBody=named, **CAPABILITY)


@scene()
def a_version_that_looks_like_a_date(s):
    """YAML reads 2012-10-17 without quotation marks as a date; everybody writes it so."""
    role = f"Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {{Version: 2012-10-17, Statement: [{STATEMENT}]}}}}}}}}"
    _, found = stack(s, role)
    s.same("the status", found["StackStatus"], "CREATE_COMPLETE")


@scene()
def malformed(s):
    templates = {
        "no resources": ("Description: x", "At least one Resources member must be defined."),
        "a section that is none": (f"Foo: x\n{GROUP}", "Invalid template property or properties [Foo]"),
        "no type": ("Resources: {G: {Properties: {}}}", "[/Resources/G] Every Resources object must contain a Type member."),
        "a reference to nothing": (TWO % "!Ref X", "Unresolved resource dependencies [X] in the Resources block of the template"),
        "an attribute of nothing": (TWO % "!GetAtt X.Arn", "instance of Fn::GetAtt references undefined resource X"),
        "an attribute that is none": (TWO % "!GetAtt G.Foo", "resource G does not support attribute type Foo in Fn::GetAtt"),
        "a circle": (
            "Resources: {G: {Type: AWS::Logs::LogGroup, DependsOn: H}, H: {Type: AWS::Logs::LogGroup, DependsOn: G}}",
            "Circular dependency between resources: [G, H]",
        ),
        "no YAML": ("a: b\n c: d", "YAML not well-formed"),
        "a resource type that is none": ("Resources: {Q: {Type: AWS::No::Such}}", "Unrecognized resource types: [AWS::No::Such]"),
    }
    for name, (template, message) in templates.items():
        message = re.compile(re.escape(message))
        refused(s, name, "ValidationError", "create_stack", message, StackName=name_of(s), TemplateBody=template)


@scene()
def parameters_that_do_not_fit(s):
    refusals = {
        "missing": ({}, "Parameters: [N] must have values"),
        "too many": ({"N": "3", "X": "1"}, "Parameters: [X] do not exist in the template"),
        "too small": ({"N": "2"}, "Parameter 'N' must be a number not less than 3"),
        "another pattern": ({"N": "3", "S": "A1"}, "Parameter 'S' must match pattern [a-z]+"),
        "no number": ({"N": "x"}, "must be a number"),
    }
    for name, (given, message) in refusals.items():
        message = re.compile(re.escape(message))
        refused(s, name, "ValidationError", "create_stack", message, StackName=name_of(s), TemplateBody=BOUNDED, **parameters(**given))


@scene()
def names_and_bodies(s):
    s.after.callback(remove, s, "a_b")
    message = re.compile("Value 'a_b' at 'stackName' failed to satisfy constraint")
    refused(s, "a name with a line below", "ValidationError", "create_stack", message, StackName="a_b", TemplateBody=GROUP)
    message = "Either Template URL or Template Body must be specified."
    refused(s, "no template", "ValidationError", "create_stack", message, StackName=name_of(s))


@scene(servers=["playbook"])
def what_is_not_here(s):
    templates = {
        "another stack's outputs": (TWO % "!ImportValue x", "Fn::ImportValue"),
        "a network's parts": (TWO % "!Cidr [a, b]", "Fn::Cidr"),
    }
    for name, (template, message) in templates.items():
        refused(s, name, "ValidationError", "create_stack", re.compile(message), StackName=name_of(s), TemplateBody=template)


@scene(servers=["playbook"])
def resources_that_fail(s):
    function = "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Role: %s, Runtime: python3.13, Handler: index.h, Code: {%s}}}}"
    nobody = '"arn:aws:iam::000000000000:role/none"'
    templates = {
        "a property that is none": (TWO % "x, Foo: 1", "extraneous key [Foo] is not permitted"),
        "no keys": ("Resources: {T: {Type: AWS::DynamoDB::Table}}", "required key [KeySchema] not found"),
        "no policy": (
            "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}",
            "(Service: Iam, Status Code: 400",
        ),
        "a role that is none": (function % (nobody, 'ZipFile: "x=1"'), "cannot be assumed by Lambda"),
    }
    for name, (template, message) in templates.items():
        made = name_of(s)
        arn = cloudformation(s, "create_stack", StackName=made, TemplateBody=template, **CAPABILITY)["StackId"]
        s.same(f"{name}, the status", settled(s, arn)["StackStatus"], "ROLLBACK_COMPLETE")
        failed = [event["ResourceStatusReason"] for event in events(s, arn, "CREATE_FAILED")]
        s.holds(name, any(message in reason for reason in failed), failed)
