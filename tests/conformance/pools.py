"""create-user-pool, update-triggers, and what else makes, changes and removes user pools."""

import re

from checks import pick, scene

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
SETTINGS = {
    "Policies": {"PasswordPolicy": {**POLICY, "MinimumLength": 10, "RequireSymbols": False, "TemporaryPasswordValidityDays": 3}},
    "DeletionProtection": "ACTIVE",
    "AutoVerifiedAttributes": ["email"],
    "SmsVerificationMessage": "sms {####}",
    "EmailVerificationMessage": "mail {####}",
    "EmailVerificationSubject": "subject",
    "SmsAuthenticationMessage": "auth {####}",
    "MfaConfiguration": "OFF",
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": True},
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT", "ReplyToEmailAddress": "a@b.com"},
    "UserPoolTags": {"k": "v"},
    "AdminCreateUserConfig": {
        "AllowAdminCreateUserOnly": False,
        "InviteMessageTemplate": {"SMSMessage": "i {username} {####}", "EmailMessage": "m {username} {####}", "EmailSubject": "s"},
    },
    "UserPoolAddOns": {"AdvancedSecurityMode": "OFF"},
    "UserPoolTier": "PLUS",
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
}
STANDARD = [
    *("sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website"),
    *("email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at"),
]
SCHEMA = [
    {"Name": "email", "Required": True, "Mutable": True, "AttributeDataType": "String"},
    {"Name": "tier", "AttributeDataType": "Number", "Mutable": True, "NumberAttributeConstraints": {"MinValue": "1", "MaxValue": "5"}},
]


def pool(s, **settings):
    """A user pool that goes when the scene ends."""
    made = s.cognito("create_user_pool", **{"PoolName": "conformance", **settings})["UserPool"]
    s.after.callback(remove, s, made["Id"])
    return made


def remove(s, pool_id):
    """What a scene has removed itself, or has protected for good, is not missed."""
    client = s.client("cognito-idp")
    try:
        client.update_user_pool(UserPoolId=pool_id, DeletionProtection="INACTIVE")
        client.delete_user_pool(UserPoolId=pool_id)
    except client.exceptions.ClientError:
        pass


def rich(s):
    return pool(
        s, PoolName="full", AliasAttributes=["email"], UsernameConfiguration={"CaseSensitive": False}, Schema=SCHEMA, **SETTINGS
    )


def describe(s, pool_id):
    return s.cognito("describe_user_pool", UserPoolId=pool_id)["UserPool"]


def writable(described):
    """What UpdateUserPool has to be told so that it changes nothing."""
    request = pick(described, *SETTINGS, "VerificationMessageTemplate", "LambdaConfig")
    request["Policies"] = {"PasswordPolicy": described["Policies"]["PasswordPolicy"]}
    # The password policy says how long; both at once are refused.
    request["AdminCreateUserConfig"] = {**described["AdminCreateUserConfig"], "UnusedAccountValidityDays": 0}
    return request


@scene()
def a_pool_by_default(s):
    made = pool(s)
    s.holds("the id begins with the region", re.fullmatch(r"us-east-1_[0-9A-Za-z]{1,45}", made["Id"]), made["Id"])
    s.holds("the ARN names the id", re.fullmatch(rf"arn:aws:cognito-idp:us-east-1:\d{{12}}:userpool/{made['Id']}", made["Arn"]), made["Arn"])
    s.same("the name", made["Name"], "conformance")
    s.same("the password policy", made["Policies"]["PasswordPolicy"], POLICY)
    s.same("no second factor", made.get("MfaConfiguration"), "OFF")
    s.same("no protection", made.get("DeletionProtection"), "INACTIVE")
    s.same("the tier", made.get("UserPoolTier"), "ESSENTIALS")
    s.same("who sends mail", made.get("EmailConfiguration"), {"EmailSendingAccount": "COGNITO_DEFAULT"})
    s.same("how one is verified", made.get("VerificationMessageTemplate"), {"DefaultEmailOption": "CONFIRM_WITH_CODE"})
    s.same("who signs up", made.get("AdminCreateUserConfig"), {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7})
    s.same("no triggers", made.get("LambdaConfig") or {}, {})
    s.same("nobody yet", made.get("EstimatedNumberOfUsers"), 0)
    # Since federation, "identities" is there as well; no document lists it.
    s.same("the attributes", [attribute["Name"] for attribute in made["SchemaAttributes"] if attribute["Name"] != "identities"], STANDARD)
    s.holds("when", made["CreationDate"].year >= 2025 and made["LastModifiedDate"].year >= 2025)


@scene()
def a_pool_with_every_setting(s):
    made = rich(s)
    found = describe(s, made["Id"])
    s.same("describe agrees", {name for name in found if found[name] != made.get(name)}, set())
    for name, wanted in SETTINGS.items():
        if name == "Policies":
            s.same(name, found.get(name, {}).get("PasswordPolicy"), wanted["PasswordPolicy"])
        elif name == "AdminCreateUserConfig":
            s.same(name, found.get(name), {**wanted, "UnusedAccountValidityDays": 3})
        else:
            s.same(name, found.get(name), wanted)
    template = {"SmsMessage": "sms {####}", "EmailMessage": "mail {####}", "EmailSubject": "subject", "DefaultEmailOption": "CONFIRM_WITH_CODE"}
    s.same("the template says the same", found.get("VerificationMessageTemplate"), template)
    custom = [attribute for attribute in found["SchemaAttributes"] if attribute["Name"] == "custom:tier"]
    s.same("a custom attribute", [attribute["NumberAttributeConstraints"] for attribute in custom], [{"MinValue": "1", "MaxValue": "5"}])


@scene()
def triggers_and_nothing_else(s):
    made = rich(s)
    before = describe(s, made["Id"])
    triggers = {"PreSignUp": FUNCTION, "PreTokenGeneration": FUNCTION, "CustomMessage": FUNCTION}
    s.cognito("update_user_pool", UserPoolId=made["Id"], **{**writable(before), "LambdaConfig": triggers})
    after = describe(s, made["Id"])
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    s.same("what changes", sorted(changed - {"LastModifiedDate"}), ["LambdaConfig"])
    version = {"PreTokenGenerationConfig": {"LambdaVersion": "V1_0", "LambdaArn": FUNCTION}}
    s.same("the triggers", after["LambdaConfig"], {**triggers, **version})


@scene()
def an_update_resets_what_it_leaves_out(s):
    made = rich(s)
    s.cognito("update_user_pool", UserPoolId=made["Id"], LambdaConfig={"PreSignUp": FUNCTION})
    found = describe(s, made["Id"])
    s.same("the password policy", found.get("Policies", {}).get("PasswordPolicy"), POLICY)
    s.same("the tags", found.get("UserPoolTags") or {}, {})
    s.same("the protection", found.get("DeletionProtection"), "INACTIVE")
    s.same("the tier", found.get("UserPoolTier"), "ESSENTIALS")
    gone = ("DeviceConfiguration", "AutoVerifiedAttributes", "EmailVerificationMessage")
    s.same("what has no default", sorted(pick(found, *gone)), [])
    s.same("what cannot be changed", pick(found, "AliasAttributes", "Name"), {"AliasAttributes": ["email"], "Name": "full"})


@scene()
def two_ways_to_say_how_long(s):
    made = pool(s)
    s.no_cognito(
        "both at once",
        "InvalidParameterException",
        "update_user_pool",
        "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
        UserPoolId=made["Id"],
        Policies=SETTINGS["Policies"],
        AdminCreateUserConfig={"UnusedAccountValidityDays": 3},
    )


@scene()
def a_protected_pool(s):
    made = pool(s, DeletionProtection="ACTIVE")
    s.no_cognito(
        "it stays",
        "InvalidParameterException",
        "delete_user_pool",
        "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.",
        UserPoolId=made["Id"],
    )
    s.same("it is still there", describe(s, made["Id"])["Id"], made["Id"])


@scene()
def tags(s):
    made = pool(s, UserPoolTags={"a": "1"})
    s.same("from the beginning", made.get("UserPoolTags"), {"a": "1"})
    s.cognito("tag_resource", ResourceArn=made["Arn"], Tags={"b": "2"})
    s.cognito("untag_resource", ResourceArn=made["Arn"], TagKeys=["a"])
    s.same("afterwards", s.cognito("list_tags_for_resource", ResourceArn=made["Arn"])["Tags"], {"b": "2"})


@scene()
def tags_of_amazon(s):
    s.no_cognito(
        "are not for us",
        "UserPoolTaggingException",
        "create_user_pool",
        "aws: prefixed tag key names are not allowed for external use.",
        PoolName="t",
        UserPoolTags={"aws:x": "y"},
    )


@scene()
def pools_page_by_page(s):
    made = {pool(s, PoolName=f"page-{number}")["Id"] for number in range(2)}
    found, pages, token = set(), 0, {}
    while pages < 20:
        answer = s.cognito("list_user_pools", MaxResults=1, **token)
        found |= {listed["Id"] for listed in answer["UserPools"]}
        pages += 1
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    s.same("all are found", made & found, made)
    s.holds("one a page", pages >= len(made), f"{pages} page")


@scene()
def the_second_factor(s):
    made = pool(s)
    s.same("is off", s.cognito("get_user_pool_mfa_config", UserPoolId=made["Id"]).get("MfaConfiguration"), "OFF")


@scene()
def a_pool_that_is_not_there(s):
    absent = "us-east-1_nothing99"
    for operation in ("describe_user_pool", "delete_user_pool", "update_user_pool"):
        s.no_cognito(operation, "ResourceNotFoundException", operation, f"User pool {absent} does not exist.", UserPoolId=absent)
    s.no_cognito(
        "no id at all",
        "InvalidParameterException",
        "describe_user_pool",
        r"1 validation error detected: Value 'YOUR POOL' at 'userPoolId' failed to satisfy constraint: Member must satisfy regular"
        r" expression pattern: [\w-]+_[0-9a-zA-Z]+",
        UserPoolId="YOUR POOL",
    )


@scene()
def a_pool_is_removed(s):
    made = pool(s)
    s.cognito("delete_user_pool", UserPoolId=made["Id"])
    s.no_cognito("it is gone", "ResourceNotFoundException", "describe_user_pool", UserPoolId=made["Id"])
    listed = s.cognito("list_user_pools", MaxResults=60)["UserPools"]
    s.same("it is not listed", [found for found in listed if found["Id"] == made["Id"]], [])


@scene()
def settings_that_contradict(s):
    refusals = {
        "alias and user name attributes": (
            "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
            {"AliasAttributes": ["email"], "UsernameAttributes": ["email"]},
        ),
        "a required custom attribute": (
            "Required custom attributes are not supported currently.",
            {"Schema": [{"Name": "x", "AttributeDataType": "String", "Required": True}]},
        ),
        "a message without its code": (re.compile("emailVerificationMessage"), {"EmailVerificationMessage": "nothing"}),
    }
    for name, (message, settings) in refusals.items():
        s.no_cognito(name, "InvalidParameterException", "create_user_pool", message, PoolName="t", **settings)


@scene(servers=["playbook"])
def what_is_not_here(s):
    first = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}}
    s.no_cognito("a first factor", "InvalidParameterException", "create_user_pool", re.compile("not supported here"), PoolName="t", **first)
    try:
        s.client("cognito-idp").list_resource_servers(UserPoolId="us-east-1_nothing99", MaxResults=1)
    except s.client("cognito-idp").exceptions.ClientError as error:
        answer = error.response["Error"]
        s.same("an operation", answer["Code"], "UnknownOperationException")
        s.holds("an operation, the text", "has no operation ListResourceServers" in answer["Message"], answer["Message"])
