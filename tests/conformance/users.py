"""sign-up, confirm-sign-up, sign-in, get-user, delete-user, and what else a user does."""

import re

from accounts import ABSENT, OTHER, PASSWORD, REVOKED, WRONG, Accounts, claims, genuine
from checks import attributes, pick, scene, values
from clients import client

NO_SUCH_CODE = "Invalid verification code provided, please try again."
SCHEMA = [
    {"Name": "n", "AttributeDataType": "Number", "Mutable": True},
    {"Name": "fixed", "AttributeDataType": "String", "Mutable": False},
]
EMAIL = attributes(email="test@example.com")


@scene()
def passwords_that_break_the_policy(s):
    a = Accounts(s)
    refusals = (
        ("Aa1!", "Password not long enough"),
        ("secret-123", "Password must have uppercase characters"),
        ("SECRET-123", "Password must have lowercase characters"),
        ("Secret-abc", "Password must have numeric characters"),
        ("Secret123", "Password must have symbol characters"),
    )
    for number, (password, why) in enumerate(refusals):
        message = f"Password did not conform with policy: {why}"
        a.refused(why, "InvalidPasswordException", "sign_up", message, Username=f"ann{number}", Password=password)
    blank = re.compile(r"at 'password' failed to satisfy constraint")
    a.refused("a blank in it", "InvalidParameterException", "sign_up", blank, Username="ann", Password="a b")


@scene()
def attributes_that_break_the_schema(s):
    a = Accounts(s, Schema=SCHEMA)
    absent = "Attributes did not conform to the schema: custom:x: Attribute does not exist in the schema.\n"
    refusals = {
        "a custom attribute that is none": ("InvalidParameterException", absent, attributes(custom__x="1")),
        "verified by oneself": ("NotAuthorizedException", "A client attempted to write unauthorized attribute", attributes(email_verified="true")),
        "an e-mail address that is none": ("InvalidParameterException", "Invalid email address format.", attributes(email="x")),
        "a telephone number that is none": ("InvalidParameterException", "Invalid phone number format.", attributes(phone_number="1")),
    }
    for number, (name, (code, message, listed)) in enumerate(refusals.items()):
        a.refused(name, code, "sign_up", message, Username=f"ann{number}", Password=PASSWORD, UserAttributes=listed)


@scene()
def a_required_attribute(s):
    a = Accounts(s, Schema=[{"Name": "email", "Required": True, "Mutable": True, "AttributeDataType": "String"}])
    a.refused("is missing", "InvalidParameterException", "sign_up", re.compile("email"), Username="ann", Password=PASSWORD)


@scene()
def a_client_that_is_none(s):
    message = "User pool client nope does not exist."
    s.no_cognito("sign-up", "ResourceNotFoundException", "sign_up", message, ClientId="nope", Username="ann", Password=PASSWORD)
    parameters = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    s.no_cognito("sign-in", "ResourceNotFoundException", "initiate_auth", message, ClientId="nope", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    s.no_cognito("a forgotten password", "ResourceNotFoundException", "forgot_password", message, ClientId="nope", Username="ann")


@scene()
def signing_up(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    answer = a.sign_up(UserAttributes=EMAIL)
    s.same("not confirmed yet", answer.get("UserConfirmed"), False)
    delivery = {"Destination": "t***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    s.same("where the code went", answer.get("CodeDeliveryDetails"), delivery)
    found = a.admin("admin_get_user", Username="ann")
    s.same("what is known", pick(found, "Username", "UserStatus", "Enabled"), {"Username": "ann", "UserStatus": "UNCONFIRMED", "Enabled": True})
    s.same("the sub", values(found["UserAttributes"]).get("sub"), answer.get("UserSub"))
    a.refused("twice", "UsernameExistsException", "sign_up", "User already exists", Username="ann", Password=PASSWORD)
    a.no_sign_in("before it is confirmed", "UserNotConfirmedException", "User is not confirmed.")
    a.no_sign_in("before it is confirmed, with a wrong password", "NotAuthorizedException", WRONG, password=OTHER)


@scene()
def confirming(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.sign_up(UserAttributes=EMAIL)
    code = a.code()
    a.refused("a wrong code", "CodeMismatchException", "confirm_sign_up", NO_SUCH_CODE, Username="ann", ConfirmationCode="nope")
    a.call("confirm_sign_up", Username="ann", ConfirmationCode=code)
    found = a.admin("admin_get_user", Username="ann")
    s.same("the status", found["UserStatus"], "CONFIRMED")
    s.same("the address is verified", values(found["UserAttributes"]).get("email_verified"), "true")
    done = "User cannot be confirmed. Current status is CONFIRMED"
    a.refused("twice", "NotAuthorizedException", "confirm_sign_up", done, Username="ann", ConfirmationCode="1")


@scene()
def confirming_nobody(s):
    a = Accounts(s)
    stranger = "Username/client id combination not found."
    a.refused("nobody", "UserNotFoundException", "confirm_sign_up", stranger, Username="bob", ConfirmationCode="1")


@scene()
def a_code_once_more(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.sign_up(UserAttributes=EMAIL)
    a.call("resend_confirmation_code", Username="ann")
    a.call("confirm_sign_up", Username="ann", ConfirmationCode=a.code())
    a.refused("when confirmed", "InvalidParameterException", "resend_confirmation_code", "User is already confirmed.", Username="ann")


@scene()
def tokens(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.ready(listed=attributes(email="test@example.com", email_verified="true"))
    sub = values(a.admin("admin_get_user", Username="ann")["UserAttributes"])["sub"]
    issued = a.tokens()
    s.same("what there is", sorted(issued), ["AccessToken", "ExpiresIn", "IdToken", "RefreshToken", "TokenType"])
    s.same("how long and what", pick(issued, "ExpiresIn", "TokenType"), {"ExpiresIn": 3600, "TokenType": "Bearer"})
    identity, access = claims(issued["IdToken"]), claims(issued["AccessToken"])
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{a.pool}"
    expected = {"iss": issuer, "aud": a.client, "token_use": "id", "cognito:username": "ann", "email": "test@example.com", "sub": sub}
    s.same("the identity", pick(identity, *expected), expected)
    s.same("the address is verified", identity.get("email_verified"), True)
    s.same("an hour", identity.get("exp", 0) - identity.get("iat", 0), 3600)
    expected = {"iss": issuer, "client_id": a.client, "token_use": "access", "username": "ann", "scope": "aws.cognito.signin.user.admin", "sub": sub}
    s.same("the access", pick(access, *expected), expected)
    s.holds("two tokens", identity.get("jti") and identity.get("jti") != access.get("jti"), identity.get("jti"))
    s.same("of one origin", [name for name in ("origin_jti", "event_id") if not identity.get(name) or identity.get(name) != access.get(name)], [])


@scene(servers=["playbook"])
def signatures(s):
    a = Accounts(s)
    a.ready()
    issued = a.tokens()
    s.same("both are genuine", [genuine(s, issued[name], a.pool) for name in ("IdToken", "AccessToken")], [True, True])
    token = issued["AccessToken"]
    message = "Could not verify signature for Access Token"
    s.no_cognito("a forged one", "NotAuthorizedException", "get_user", message, AccessToken=token[:-8] + "AAAAAAAA")


@scene()
def get_user(s):
    a = Accounts(s)
    a.ready(listed=attributes(email="test@example.com", email_verified="true"))
    issued = a.tokens()
    found = s.cognito("get_user", AccessToken=issued["AccessToken"])
    s.same("who", found["Username"], "ann")
    expected = {"email": "test@example.com", "email_verified": "true"}
    s.same("attributes", pick(values(found["UserAttributes"]), *expected), expected)
    s.no_cognito("no token", "NotAuthorizedException", "get_user", "Invalid Access Token", AccessToken="abc")
    s.no_cognito("an identity token", "NotAuthorizedException", "get_user", "Invalid Access Token", AccessToken=issued["IdToken"])


@scene()
def refreshed_tokens(s):
    a = Accounts(s)
    a.ready()
    issued = a.tokens()
    fresh = a.call("initiate_auth", AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": issued["RefreshToken"]})["AuthenticationResult"]
    s.same("what there is", sorted(fresh), ["AccessToken", "ExpiresIn", "IdToken", "TokenType"])
    s.same("the origin", claims(fresh["AccessToken"]).get("origin_jti"), claims(issued["AccessToken"]).get("origin_jti"))
    wrong = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": "x"}}
    a.refused("a token that is none", "NotAuthorizedException", "initiate_auth", "Invalid Refresh Token", **wrong)


@scene()
def revoked_tokens(s):
    a = Accounts(s)
    a.ready()
    issued = a.tokens()
    a.call("revoke_token", Token=issued["RefreshToken"])
    s.no_cognito("the access token", "NotAuthorizedException", "get_user", REVOKED, AccessToken=issued["AccessToken"])
    again = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": issued["RefreshToken"]}}
    a.refused("the refresh token", "NotAuthorizedException", "initiate_auth", "Refresh Token has been revoked", **again)


@scene()
def signing_out_everywhere(s):
    a = Accounts(s)
    a.ready()
    token = a.tokens()["AccessToken"]
    s.cognito("global_sign_out", AccessToken=token)
    s.no_cognito("afterwards", "NotAuthorizedException", "get_user", REVOKED, AccessToken=token)


@scene()
def changing_attributes(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"], Schema=SCHEMA)
    a.ready(listed=attributes(email="old@example.com", email_verified="true", custom__fixed="f"))
    token = a.tokens()["AccessToken"]
    answer = s.cognito("update_user_attributes", AccessToken=token, UserAttributes=attributes(email="new@example.com", custom__n="5"))
    s.same("a code is sent", [sent["Destination"] for sent in answer.get("CodeDeliveryDetailsList", [])], ["n***@e***"])
    a.sent = answer
    code = a.code()
    s.same("not verified", values(s.cognito("get_user", AccessToken=token)["UserAttributes"]).get("email_verified"), "false")
    message = "Attributes did not conform to the schema: custom:fixed: Attribute cannot be updated.\n"
    immutable = {"AccessToken": token, "UserAttributes": attributes(custom__fixed="g")}
    s.no_cognito("what cannot be changed", "InvalidParameterException", "update_user_attributes", message, **immutable)
    s.no_cognito("a wrong code", "CodeMismatchException", "verify_user_attribute", NO_SUCH_CODE, AccessToken=token, AttributeName="email", Code="x")
    s.cognito("verify_user_attribute", AccessToken=token, AttributeName="email", Code=code)
    s.same("verified", values(s.cognito("get_user", AccessToken=token)["UserAttributes"]).get("email_verified"), "true")
    s.cognito("get_user_attribute_verification_code", AccessToken=token, AttributeName="email")
    s.cognito("delete_user_attributes", AccessToken=token, UserAttributeNames=["custom:n"])
    s.same("one less", "custom:n" in values(s.cognito("get_user", AccessToken=token)["UserAttributes"]), False)


@scene()
def delete_user(s):
    a = Accounts(s)
    a.ready()
    token = a.tokens()["AccessToken"]
    s.no_cognito("no token", "NotAuthorizedException", "delete_user", "Invalid Access Token", AccessToken="abc")
    s.cognito("delete_user", AccessToken=token)
    s.no_cognito("whose token", "UserNotFoundException", "get_user", ABSENT, AccessToken=token)
    a.no_sign_in("who", "UserNotFoundException", ABSENT)
    a.not_admin("where", "UserNotFoundException", "admin_get_user", ABSENT, Username="ann")


@scene()
def flows(s):
    a = Accounts(s)
    both = {"USERNAME": "x", "PASSWORD": "x"}
    not_here = "Initiate Auth method not supported."
    a.refused("the administrator's", "InvalidParameterException", "initiate_auth", not_here, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=both)
    incomplete = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "x"}}
    a.refused("no password", "InvalidParameterException", "initiate_auth", "Missing required parameter PASSWORD", **incomplete)
    bare = client(s, a.pool, ClientName="bare")["ClientId"]
    disabled = "USER_PASSWORD_AUTH flow not enabled for this client"
    one = {"ClientId": bare, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": both}
    s.no_cognito("not enabled", "InvalidParameterException", "initiate_auth", disabled, **one)


@scene()
def only_administrators_sign_up(s):
    a = Accounts(s, AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    a.refused("others", "NotAuthorizedException", "sign_up", "SignUp is not permitted for this user pool", Username="zoe", Password=PASSWORD)


@scene(servers=["playbook"])
def what_is_not_here(s):
    a = Accounts(s)
    for flow in ("USER_AUTH",):
        one = {"AuthFlow": flow, "AuthParameters": {"USERNAME": "x"}}
        a.refused(flow, "InvalidParameterException", "initiate_auth", re.compile("not supported here"), **one)


@scene(servers=["playbook"])
def messages(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.sign_up(UserAttributes=EMAIL)
    sent = s.server.inbox()[-1]
    s.holds("six digits", re.fullmatch(r"\d{6}", sent["code"]), sent["code"])
    expected = {"to": "test@example.com", "subject": "Your verification code", "body": f"Your confirmation code is {sent['code']}"}
    s.same("the first", pick(sent, *expected), expected)
    a.call("resend_confirmation_code", Username="ann")
    s.same("once more", s.server.inbox()[-1]["reason"], "CustomMessage_ResendCode")
    a.call("confirm_sign_up", Username="ann", ConfirmationCode=a.code())
    a.call("forgot_password", Username="ann")
    sent = s.server.inbox()[-1]
    s.same("a reset", sent["body"], f"Your password reset code is {sent['code']}")
