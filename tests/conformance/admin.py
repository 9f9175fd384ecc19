"""admin-create-user, admin-set-user-password, admin-get-user, admin-delete-user, and what else an administrator does."""

import json
import re

from accounts import ABSENT, OTHER, PASSWORD, REVOKED, Accounts
from checks import attributes, pick, scene, values

CHALLENGE = "NEW_PASSWORD_REQUIRED"
ANN = attributes(email="ann@example.com", email_verified="true", name="Ann")


@scene()
def creating(s):
    a = Accounts(s)
    made = a.admin("admin_create_user", Username="ann", UserAttributes=ANN, TemporaryPassword=PASSWORD, DesiredDeliveryMediums=["EMAIL"])["User"]
    expected = {"Username": "ann", "UserStatus": "FORCE_CHANGE_PASSWORD", "Enabled": True}
    s.same("what is made", pick(made, *expected), expected)
    expected = {"email": "ann@example.com", "email_verified": "true", "name": "Ann"}
    s.same("attributes", pick(values(made["Attributes"]), *expected), expected)
    s.holds("a sub", re.fullmatch(r"[0-9a-f-]{36}", values(made["Attributes"]).get("sub", "")))
    a.not_admin("twice", "UsernameExistsException", "admin_create_user", "User account already exists", Username="ann")
    weak = {"Username": "bob", "TemporaryPassword": "aaaaaa", "MessageAction": "SUPPRESS"}
    a.not_admin("a weak password", "InvalidPasswordException", "admin_create_user", re.compile("Password did not conform with p"), **weak)
    nobody = {"Username": "bob", "MessageAction": "RESEND"}
    a.not_admin("an invitation once more, of nobody", "UserNotFoundException", "admin_create_user", ABSENT, **nobody)
    nowhere = {"UserPoolId": "us-east-1_nothing99", "Username": "bob"}
    s.no_cognito("in no pool", "ResourceNotFoundException", "admin_create_user", "User pool us-east-1_nothing99 does not exist.", **nowhere)
    stray = {"Username": "eve", "MessageAction": "SUPPRESS", "UserAttributes": attributes(custom__x="1")}
    a.not_admin("an attribute that is none", "InvalidParameterException", "admin_create_user", re.compile("custom:x"), **stray)


@scene()
def addresses_of_invitations(s):
    a = Accounts(s)
    email = attributes(email="ann@example.com")
    message = "No phone number provided but desired delivery medium was SMS"
    nowhere = {"Username": "ann", "UserAttributes": email, "DesiredDeliveryMediums": ["SMS"]}
    a.not_admin("no number for an SMS", "InvalidParameterException", "admin_create_user", message, **nowhere)
    message = "No email provided but desired delivery medium was Email"
    nowhere = {"Username": "bob", "DesiredDeliveryMediums": ["EMAIL"]}
    a.not_admin("no address for an e-mail", "InvalidParameterException", "admin_create_user", message, **nowhere)


@scene()
def inviting_once_more(s):
    a = Accounts(s)
    a.ready(listed=ANN)
    message = "Resend not possible. ann status is not FORCE_CHANGE_PASSWORD"
    again = {"Username": "ann", "MessageAction": "RESEND"}
    a.not_admin("a user who is confirmed", "UnsupportedUserStateException", "admin_create_user", message, **again)


@scene()
def a_temporary_password(s):
    a = Accounts(s)
    a.admin("admin_create_user", Username="ann", UserAttributes=ANN, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    asked = a.sign_in()
    s.same("a challenge", asked.get("ChallengeName"), CHALLENGE)
    parameters = asked["ChallengeParameters"]
    expected = {"USER_ID_FOR_SRP": "ann", "requiredAttributes": "[]"}
    s.same("of whom", pick(parameters, *expected), expected)
    s.same("with attributes", json.loads(parameters["userAttributes"]).get("email"), "ann@example.com")
    stranger = {"Session": "x" * 30, "ChallengeName": CHALLENGE, "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": OTHER}}
    invalid = "Invalid session for the user."
    a.refused("a session that is none", "NotAuthorizedException", "respond_to_auth_challenge", invalid, **stranger)
    session = {"Session": asked["Session"], "ChallengeName": CHALLENGE}
    weak = "Password does not conform to policy: Password not long enough"
    answer = {"USERNAME": "ann", "NEW_PASSWORD": "x"}
    a.refused("a weak password", "InvalidPasswordException", "respond_to_auth_challenge", weak, ChallengeResponses=answer, **session)
    missing = "Missing required parameter NEW_PASSWORD"
    one = {"ChallengeResponses": {"USERNAME": "ann"}, **session}
    a.refused("no password", "InvalidParameterException", "respond_to_auth_challenge", missing, **one)


@scene()
def a_temporary_password_is_replaced(s):
    a = Accounts(s)
    a.admin("admin_create_user", Username="ann", UserAttributes=ANN, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    answer = {"ChallengeName": CHALLENGE, "Session": a.sign_in()["Session"]}
    answer["ChallengeResponses"] = {"USERNAME": "ann", "NEW_PASSWORD": OTHER}
    s.same("tokens", "AccessToken" in a.call("respond_to_auth_challenge", **answer)["AuthenticationResult"], True)
    s.same("the status", a.admin("admin_get_user", Username="ann")["UserStatus"], "CONFIRMED")
    a.refused("twice", "NotAuthorizedException", "respond_to_auth_challenge", "Invalid session for the user.", **answer)


@scene()
def a_temporary_password_cannot_be_reset(s):
    a = Accounts(s)
    a.admin("admin_create_user", Username="ann", UserAttributes=ANN, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    message = "User password cannot be reset in the current state."
    a.refused("forgotten", "NotAuthorizedException", "forgot_password", message, Username="ann")


@scene()
def an_administrator_signs_in(s):
    a = Accounts(s)
    a.admin("admin_create_user", Username="bob", MessageAction="SUPPRESS", TemporaryPassword=PASSWORD)
    both = {"ClientId": a.client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "bob", "PASSWORD": PASSWORD}}
    not_here = "Initiate Auth method not supported."
    wrong = {**both, "AuthFlow": "USER_PASSWORD_AUTH"}
    a.not_admin("with the users' flow", "InvalidParameterException", "admin_initiate_auth", not_here, **wrong)
    asked = a.admin("admin_initiate_auth", **both)
    s.same("a challenge", asked.get("ChallengeName"), CHALLENGE)
    answer = {"ClientId": a.client, "ChallengeName": CHALLENGE, "Session": asked["Session"]}
    answer["ChallengeResponses"] = {"USERNAME": "bob", "NEW_PASSWORD": OTHER}
    s.same("tokens", "IdToken" in a.admin("admin_respond_to_auth_challenge", **answer)["AuthenticationResult"], True)


@scene()
def setting_passwords(s):
    a = Accounts(s)
    a.ready("bob")
    message = "Password does not conform to policy: Password must have symbol characters"
    weak = {"Username": "bob", "Password": "Secret123", "Permanent": True}
    a.not_admin("a weak one", "InvalidPasswordException", "admin_set_user_password", message, **weak)
    one = {"Username": "none", "Password": PASSWORD, "Permanent": True}
    a.not_admin("nobody's", "UserNotFoundException", "admin_set_user_password", ABSENT, **one)
    a.admin("admin_set_user_password", Username="bob", Password=OTHER, Permanent=True)
    s.same("permanent", "AuthenticationResult" in a.sign_in("bob", OTHER), True)
    a.admin("admin_set_user_password", Username="bob", Password=PASSWORD, Permanent=False)
    s.same("temporary", a.sign_in("bob").get("ChallengeName"), CHALLENGE)
    s.same("the status", a.admin("admin_get_user", Username="bob")["UserStatus"], "FORCE_CHANGE_PASSWORD")


@scene()
def changing_attributes(s):
    a = Accounts(s)
    a.ready("bob", listed=attributes(email="bob@example.com"))
    listed = attributes(email="b2@example.com", email_verified="true", given_name="Bob")
    a.admin("admin_update_user_attributes", Username="bob", UserAttributes=listed)
    a.admin("admin_delete_user_attributes", Username="bob", UserAttributeNames=["given_name"])
    found = values(a.admin("admin_get_user", Username="bob")["UserAttributes"])
    s.same("afterwards", pick(found, "email", "email_verified", "given_name"), {"email": "b2@example.com", "email_verified": "true"})
    unknown = {"Username": "bob", "UserAttributes": attributes(custom__x="1")}
    a.not_admin("an attribute that is none", "InvalidParameterException", "admin_update_user_attributes", re.compile("custom:x"), **unknown)


@scene()
def listing(s):
    a = Accounts(s)
    a.ready("ann", listed=attributes(email="ann@example.com"))
    a.admin("admin_create_user", Username="bob", UserAttributes=attributes(email="b2@example.com"), MessageAction="SUPPRESS")
    sub = values(a.admin("admin_get_user", Username="bob")["UserAttributes"])["sub"]
    for name, expected, parameters in (
        ("all", ["ann", "bob"], {}),
        ("of a name", ["ann"], {"Filter": 'username = "ann"'}),
        ("by the beginning of an address", ["bob"], {"Filter": 'email ^= "b"'}),
        ("by status", ["ann"], {"Filter": 'cognito:user_status = "CONFIRMED"'}),
        ("by sub", ["bob"], {"Filter": f'sub = "{sub}"'}),
        ("case matters", [], {"Filter": 'email = "B2@example.com"'}),
        ("enabled", ["ann", "bob"], {"Filter": 'status = "Enabled"'}),
    ):
        found = a.admin("list_users", **parameters)["Users"]
        s.same(name, sorted(user["Username"] for user in found), expected)
    page = a.admin("list_users", Limit=1)
    s.same("a page", len(page["Users"]), 1)
    rest = a.admin("list_users", PaginationToken=page["PaginationToken"])["Users"]
    s.same("the rest", len(rest), 1)
    one = a.admin("list_users", Filter='username = "ann"', AttributesToGet=["email"])["Users"][0]
    s.same("only some attributes", one["Attributes"], attributes(email="ann@example.com"))
    a.not_admin("a filter that is none", "InvalidParameterException", "list_users", "Error while parsing filter.", Filter="x")
    message = "One or more requested attributes do not exist."
    a.not_admin("an attribute that is none", "InvalidParameterException", "list_users", message, AttributesToGet=["custom:none"])


@scene()
def nobody(s):
    a = Accounts(s)
    for operation in (
        "admin_get_user",
        "admin_delete_user",
        "admin_confirm_sign_up",
        "admin_enable_user",
        "admin_disable_user",
        "admin_reset_user_password",
        "admin_user_global_sign_out",
    ):
        a.not_admin(operation, "UserNotFoundException", operation, ABSENT, Username="none")


@scene()
def confirming(s):
    a = Accounts(s)
    a.signed_up()
    s.same("the status", a.admin("admin_get_user", Username="ann")["UserStatus"], "CONFIRMED")
    done = "User cannot be confirmed. Current status is CONFIRMED"
    a.not_admin("twice", "NotAuthorizedException", "admin_confirm_sign_up", done, Username="ann")


@scene()
def switching_off(s):
    a = Accounts(s)
    a.ready()
    a.admin("admin_disable_user", Username="ann")
    s.same("what is known", a.admin("admin_get_user", Username="ann")["Enabled"], False)
    s.same("listed", [user["Username"] for user in a.admin("list_users", Filter='status = "Disabled"')["Users"]], ["ann"])
    a.no_sign_in("sign-in", "NotAuthorizedException", "User is disabled.")
    a.admin("admin_enable_user", Username="ann")
    s.same("on again", "AccessToken" in a.tokens(), True)


@scene()
def signing_out(s):
    a = Accounts(s)
    a.ready()
    token = a.tokens()["AccessToken"]
    a.admin("admin_user_global_sign_out", Username="ann")
    s.no_cognito("afterwards", "NotAuthorizedException", "get_user", REVOKED, AccessToken=token)


@scene()
def deleting(s):
    a = Accounts(s)
    a.ready()
    a.ready("bob")
    token = a.tokens()["AccessToken"]
    a.admin("admin_delete_user", Username="ann")
    s.same("the other stays", [user["Username"] for user in a.admin("list_users")["Users"]], ["bob"])
    a.not_admin("it is gone", "UserNotFoundException", "admin_get_user", ABSENT, Username="ann")
    s.no_cognito("and so is the token", "UserNotFoundException", "get_user", ABSENT, AccessToken=token)


@scene(servers=["playbook"])
def messages(s):
    a = Accounts(s)
    a.admin("admin_create_user", Username="ann", UserAttributes=ANN, DesiredDeliveryMediums=["EMAIL"])
    sent = s.server.inbox()[-1]
    s.same("the subject", sent["subject"], "Your temporary password")
    s.same("an invitation", sent["body"], f"Your username is ann and temporary password is {sent['code']}.")
    s.same("its password", a.sign_in(password=sent["code"])["ChallengeName"], CHALLENGE)
    before = len(s.server.inbox())
    a.admin("admin_create_user", Username="bob", MessageAction="SUPPRESS", UserAttributes=ANN)
    s.same("suppressed", len(s.server.inbox()), before)
    a.admin("admin_create_user", Username="eve", UserAttributes=ANN)
    s.same("an SMS unless it is said, and there is no number", len(s.server.inbox()), before)
    a.admin("admin_create_user", Username="ann", MessageAction="RESEND", DesiredDeliveryMediums=["EMAIL"])
    s.same("once more, with another password", s.server.inbox()[-1]["code"] != sent["code"], True)
