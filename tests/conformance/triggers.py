"""update-triggers: functions that really run when somebody signs up, signs in, or forgets a password.

`cognito-local` calls the same function in the embedded AWS, by its name, whatever a pool is told.
"""

import io
import json
import time
import zipfile
from pathlib import Path

from accounts import OTHER, PASSWORD, Accounts, claims
from checks import attributes, eventually, pick, scene, values

FUNCTION = "triggers"
GROUP = f"/aws/lambda/{FUNCTION}"
ROLE = "conformance-triggers"
KINDS = ("PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication", "UserMigration", "PreTokenGeneration", "CustomMessage")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOWED = {"Action": "lambda:InvokeFunction", "Principal": "cognito-idp.amazonaws.com"}
SOCKET_TIMEOUT = "PreSignUp invocation failed due to error Socket timeout while invoking Lambda function."


def package():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("triggered.py", Path(__file__).with_name("triggered.py").read_text(encoding="utf-8"))
    return buffer.getvalue()


def function(s, name=FUNCTION):
    """The function's ARN; made once."""
    client = s.client("lambda")
    try:
        return client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    except client.exceptions.ResourceNotFoundException:
        pass
    iam = s.client("iam")
    try:
        role = iam.get_role(RoleName=ROLE)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    settings = {"FunctionName": name, "Runtime": "python3.13", "Handler": "triggered.handler", "Role": role, "Timeout": 10}

    def attempt():
        try:
            return client.create_function(Code={"ZipFile": package()}, **settings)["FunctionArn"]
        except client.exceptions.InvalidParameterValueException:
            return None  # the role is too new

    made = eventually(attempt)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    return made


class Triggered(Accounts):
    """A pool whose every trigger is the function."""

    def __init__(self, s, name=FUNCTION, allowed=True, **settings):
        self.function = name
        arn = function(s, name)
        super().__init__(s, AutoVerifiedAttributes=["email"], LambdaConfig=dict.fromkeys(KINDS, arn), **settings)
        if allowed:
            self.allow(f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{self.pool}")

    def allow(self, source):
        statement = f"from-{source.rpartition('_')[2]}"
        self.s.client("lambda").add_permission(FunctionName=self.function, StatementId=statement, SourceArn=source, **ALLOWED)

    def events(self, username, until):
        """The events of a user in their order, once that of the last source is in the log."""

        def look():
            pages = self.s.client("logs").get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern="EVENT")
            found = [json.loads(event["message"].partition("EVENT ")[2]) for page in pages for event in page["events"]]
            mine = [event for event in found if event["userName"] == username and event["userPoolId"] == self.pool]
            return mine if until in [event["triggerSource"] for event in mine] else None

        return eventually(look, 3) or []


def of(found, source):
    """The one event of that source."""
    events = [event for event in found if event["triggerSource"] == source]
    return events[0] if events else {"request": {}, "response": {}, "callerContext": {}}


@scene()
def signing_up(s):
    a = Triggered(s)
    listed = attributes(email="a@example.com")
    answer = a.sign_up("auto1", UserAttributes=listed, ValidationData=attributes(v="1"), ClientMetadata={"m": "2"})
    s.same("confirmed at once", answer.get("UserConfirmed"), True)
    s.same("no code is sent", "CodeDeliveryDetails" in answer, False)
    found = a.events("auto1", "PostConfirmation_ConfirmSignUp")
    s.same("what fires", [event["triggerSource"] for event in found], ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"])
    before, after = of(found, "PreSignUp_SignUp"), of(found, "PostConfirmation_ConfirmSignUp")
    s.same("the envelope", pick(before, "version", "region", "userName"), {"version": "1", "region": "us-east-1", "userName": "auto1"})
    s.same("the caller", before["callerContext"].get("clientId"), a.client)
    s.same("PreSignUp's attributes", before["request"].get("userAttributes"), {"email": "a@example.com"})
    s.same("PreSignUp's data", before["request"].get("validationData"), {"v": "1"})
    s.same("PreSignUp's metadata", before["request"].get("clientMetadata"), {"m": "2"})
    s.same("PreSignUp's response", before["response"], {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False})
    expected = {"sub": answer["UserSub"], "cognito:user_status": "CONFIRMED", "email": "a@example.com", "email_verified": "true"}
    s.same("PostConfirmation's attributes", after["request"].get("userAttributes"), expected)
    s.same("PostConfirmation's metadata", after["request"].get("clientMetadata"), {"m": "2"})
    s.same("PostConfirmation's response", after["response"], {})
    known = a.admin("admin_get_user", Username="auto1")
    s.same("the status", known["UserStatus"], "CONFIRMED")
    s.same("the address is verified", values(known["UserAttributes"]).get("email_verified"), "true")


@scene()
def confirming_by_hand(s):
    a = Triggered(s)
    a.sign_up("hand", UserAttributes=attributes(email="h@example.com"))
    a.call("confirm_sign_up", Username="hand", ConfirmationCode=a.code())
    found = a.events("hand", "PostConfirmation_ConfirmSignUp")
    sources = ["PreSignUp_SignUp", "CustomMessage_SignUp", "PostConfirmation_ConfirmSignUp"]
    s.same("what fires", [event["triggerSource"] for event in found], sources)


@scene()
def refusing_a_sign_up(s):
    a = Triggered(s)
    one = {"Username": "boom1", "Password": PASSWORD}
    a.refused("an exception", "UserLambdaValidationException", "sign_up", "PreSignUp failed with error no boom1.", **one)
    a.not_admin("nobody is made", "UserNotFoundException", "admin_get_user", "User does not exist.", Username="boom1")


@scene()
def answers_that_are_none(s):
    a = Triggered(s)
    for username in ("nonsense", "null"):
        one = {"Username": username, "Password": PASSWORD, "UserAttributes": attributes(email="n@example.com")}
        a.refused(username, "InvalidLambdaResponseException", "sign_up", "Unrecognizable lambda output", **one)


@scene()
def signing_in(s):
    a = Triggered(s)
    a.ready("auto2", listed=attributes(email="a@example.com", email_verified="true"))
    issued = a.tokens("auto2")
    sub = values(a.admin("admin_get_user", Username="auto2")["UserAttributes"])["sub"]
    told = claims(issued["IdToken"])
    s.same("a claim is added", told.get("x"), "1")
    s.same("a claim is kept back", "email" in told, False)
    s.same("who it is cannot be changed", told.get("sub"), sub)
    found = a.events("auto2", "TokenGeneration_Authentication")
    fired = [event["triggerSource"] for event in found if "SignUp" not in event["triggerSource"]]
    wanted = {"PreAuthentication_Authentication", "PostAuthentication_Authentication", "TokenGeneration_Authentication"}
    s.same("what fires", sorted({*fired} & wanted), sorted(wanted))
    s.same("first", fired[:1], ["PreAuthentication_Authentication"])
    after = of(found, "PostAuthentication_Authentication")
    s.same("PostAuthentication's device", after["request"].get("newDeviceUsed"), False)
    s.same("PostAuthentication's attributes", after["request"].get("userAttributes", {}).get("email"), "a@example.com")
    s.same("PostAuthentication's caller", after["callerContext"].get("clientId"), a.client)


@scene()
def refusing_a_sign_in(s):
    a = Triggered(s)
    a.ready("auto3")
    both = {"USERNAME": "auto3", "PASSWORD": PASSWORD}
    message = "PreAuthentication failed with error not today."
    one = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": both, "ClientMetadata": {"refuse": "yes"}}
    a.refused("before", "UserLambdaValidationException", "initiate_auth", message, **one)


@scene()
def messages(s):
    a = Triggered(s)
    listed = attributes(email="m@example.com")
    a.sign_up("msg", UserAttributes=listed)
    if s.server.name == "playbook":
        sent = s.server.inbox()[-1]
        expected = {"subject": "Hi msg", "body": f"CustomMessage_SignUp {sent['code']}"}
        s.same("the message", pick(sent, "subject", "body"), expected)
    found = of(a.events("msg", "CustomMessage_SignUp"), "CustomMessage_SignUp")
    s.same("the code is a placeholder", found["request"].get("codeParameter"), "{####}")
    s.same("the response", found["response"], dict.fromkeys(["smsMessage", "emailMessage", "emailSubject"]))
    a.admin("admin_create_user", Username="adm", UserAttributes=listed, DesiredDeliveryMediums=["EMAIL"])
    found = of(a.events("adm", "CustomMessage_AdminCreateUser"), "CustomMessage_AdminCreateUser")
    s.same("an invitation's caller", found["callerContext"].get("clientId"), "CLIENT_ID_NOT_APPLICABLE")
    s.same("an invitation's user name", found["request"].get("usernameParameter"), "{username}")


@scene()
def migrating(s):
    a = Triggered(s)
    reset, old = "reset1@example.com", "old1@example.com"
    a.no_sign_in("nobody", "UserNotFoundException", f"Exception migrating user in app client {a.client}", "none@example.com")
    message = "UserMigration failed with error Bad password."
    a.no_sign_in("an exception", "UserLambdaValidationException", message, "throws@example.com")
    s.same("with a password", "AccessToken" in a.tokens(old), True)
    s.same("and again", "AccessToken" in a.tokens(old), True)
    known = a.admin("admin_get_user", Username=old)
    s.same("the status", known["UserStatus"], "CONFIRMED")
    s.same("the address is verified", values(known["UserAttributes"]).get("email_verified"), "true")
    found = of(a.events(old, "UserMigration_Authentication"), "UserMigration_Authentication")
    s.same("UserMigration's request", found["request"], {"password": PASSWORD, "validationData": None, "userAttributes": None})
    names = ["userAttributes", "forceAliasCreation", "enableSMSMFA", "finalUserStatus", "messageAction", "desiredDeliveryMediums"]
    s.same("UserMigration's response", found["response"], dict.fromkeys(names))


@scene()
def migrating_with_a_reset(s):
    a = Triggered(s)
    name = "reset1@example.com"
    a.no_sign_in("the old password", "PasswordResetRequiredException", "Password reset required for the user", name, "Throw-away1")
    s.same("the status", a.admin("admin_get_user", Username=name)["UserStatus"], "RESET_REQUIRED")
    answer = a.call("forgot_password", Username=name)
    s.same("where the code went", answer["CodeDeliveryDetails"]["Destination"], "r***@e***")
    a.call("confirm_forgot_password", Username=name, ConfirmationCode=a.code(), Password=OTHER)
    s.same("afterwards", "AccessToken" in a.tokens(name, OTHER), True)
    found = a.events(name, "PostConfirmation_ConfirmForgotPassword")
    fired = {event["triggerSource"] for event in found}
    s.same("what fires", sorted(fired & {"PostConfirmation_ConfirmForgotPassword"}), ["PostConfirmation_ConfirmForgotPassword"])


@scene()
def migrating_from_a_forgotten_password(s):
    a = Triggered(s)
    s.holds("a code is sent", a.call("forgot_password", Username="reset2@example.com").get("CodeDeliveryDetails"))
    message = f"Exception migrating user in app client {a.client}"
    a.refused("nobody", "UserNotFoundException", "forgot_password", message, Username="nobody@example.com")


@scene()
def migrating_where_addresses_are_names(s):
    a = Triggered(s, UsernameAttributes=["email"])
    s.same("with a password", "AccessToken" in a.tokens("old2@example.com"), True)
    s.same("the status", a.admin("admin_get_user", Username="old2@example.com")["UserStatus"], "CONFIRMED")


@scene(servers=["playbook"])
def claims_of_the_second_version(s):
    a = Triggered(s)
    a.ready("auto4")
    arn = function(s)
    config = {kind: arn for kind in KINDS if kind != "PreTokenGeneration"}
    config["PreTokenGenerationConfig"] = {"LambdaVersion": "V2_0", "LambdaArn": arn}
    a.admin("update_user_pool", AutoVerifiedAttributes=["email"], LambdaConfig=config)
    issued = a.tokens("auto4")
    identity, access = claims(issued["IdToken"]), claims(issued["AccessToken"])
    expected = {"y": {"z": 1}, "cognito:groups": ["g"]}
    s.same("the identity", pick(identity, *expected), expected)
    expected = {"w": [1], "scope": "aws.cognito.signin.user.admin a/b", "cognito:groups": ["g"]}
    s.same("the access", pick(access, *expected), expected)


@scene(servers=["playbook"])
def without_permission(s):
    a = Triggered(s, allowed=False)
    denied = "PreSignUp invocation failed due to error AccessDeniedException."
    one = {"Username": "auto5", "Password": PASSWORD}
    a.refused("none", "UnexpectedLambdaException", "sign_up", denied, **one)
    arn = f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{a.pool}"
    a.allow(f"{arn}x")
    a.refused("another pool's", "UnexpectedLambdaException", "sign_up", denied, **one)
    a.allow(arn)
    s.same("its own", a.sign_up("auto5")["UserConfirmed"], True)


@scene(servers=["playbook"])
def without_a_function(s):
    a = Triggered(s, "soon-gone")
    s.client("lambda").delete_function(FunctionName="soon-gone")
    denied = "PreSignUp invocation failed due to error AccessDeniedException."
    a.refused("it is gone", "UnexpectedLambdaException", "sign_up", denied, Username="auto6", Password=PASSWORD)


@scene(parallel=True)
def a_function_that_takes_six_seconds(s):
    a = Triggered(s)
    started = time.monotonic()
    one = {"Username": "slow", "Password": PASSWORD, "UserAttributes": attributes(email="s@example.com")}
    a.refused("is too slow", "UnexpectedLambdaException", "sign_up", SOCKET_TIMEOUT, **one)
    if s.server.name == "playbook":
        took = time.monotonic() - started
        s.holds("is tried three times, five seconds each", 15 <= took < 20, f"{took:.1f} s")
