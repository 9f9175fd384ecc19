"""User names, addresses as names, clients with a secret, clients that do not say who exists."""

import base64
import hashlib
import hmac
import re

from accounts import OTHER, PASSWORD, WRONG, Accounts, claims
from checks import attributes, scene


def proof(a, username):
    """SECRET_HASH."""
    digest = hmac.new(a.secret.encode(), (username + a.client).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@scene()
def a_client_with_a_secret(s):
    a = Accounts(s, secret=True)
    missing = f"Client {a.client} is configured with secret but SECRET_HASH was not received"
    a.refused("sign-up without proof", "NotAuthorizedException", "sign_up", missing, Username="ann", Password=PASSWORD)
    wrong = {"Username": "bob", "Password": PASSWORD, "SecretHash": "abc"}
    message = f"Unable to verify secret hash for client {a.client}"
    a.refused("sign-up with another proof", "NotAuthorizedException", "sign_up", message, **wrong)
    a.signed_up("eve", SecretHash=proof(a, "eve"))
    a.no_sign_in("sign-in without proof", "NotAuthorizedException", missing, username="eve")
    a.no_sign_in("sign-in with another proof", "NotAuthorizedException", message, username="eve", SECRET_HASH="abc")
    issued = a.tokens("eve", SECRET_HASH=proof(a, "eve"))
    s.same("sign-in", "AccessToken" in issued, True)
    parameters = {"REFRESH_TOKEN": issued["RefreshToken"], "SECRET_HASH": proof(a, "eve")}
    fresh = a.call("initiate_auth", AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)
    s.same("refresh", "AccessToken" in fresh["AuthenticationResult"], True)


@scene()
def a_client_that_does_not_say_who_exists(s):
    a = Accounts(s, hidden=True, AutoVerifiedAttributes=["email"])
    a.no_sign_in("sign-in", "NotAuthorizedException", WRONG, username="bob")
    confirmation = {"Username": "bob", "ConfirmationCode": "123456", "Password": OTHER}
    message = "Invalid code provided, please request a code again."
    a.refused("a code", "ExpiredCodeException", "confirm_forgot_password", message, **confirmation)
    s.holds("a forgotten password", a.call("forgot_password", Username="bob").get("CodeDeliveryDetails"))


@scene()
def addresses_as_user_names(s):
    case = {"CaseSensitive": False}
    a = Accounts(s, UsernameAttributes=["email"], AutoVerifiedAttributes=["email"], UsernameConfiguration=case)
    a.refused("no address", "InvalidParameterException", "sign_up", "Username should be an email.", Username="ann", Password=PASSWORD)
    answer = a.sign_up("Ann@Example.com")
    a.call("confirm_sign_up", Username="ann@example.com", ConfirmationCode=a.code())
    message = "An account with the given email already exists."
    again = {"Username": "ann@example.com", "Password": PASSWORD}
    a.refused("twice, in other letters", "UsernameExistsException", "sign_up", message, **again)
    issued = a.tokens("ANN@example.com")
    s.same("the user name is the sub", s.cognito("get_user", AccessToken=issued["AccessToken"])["Username"], answer["UserSub"])


@scene()
def addresses_as_aliases(s):
    a = Accounts(s, AliasAttributes=["email"], AutoVerifiedAttributes=["email"])
    message = "Username cannot be of email format, since user pool is configured for email alias."
    a.refused("an address as a name", "InvalidParameterException", "sign_up", message, Username="a@b.com", Password=PASSWORD)
    same = attributes(email="same@example.com")
    a.sign_up("one", UserAttributes=same)
    a.call("confirm_sign_up", Username="one", ConfirmationCode=a.code())
    s.same("sign-in with it", claims(a.tokens("same@example.com")["IdToken"]).get("cognito:username"), "one")
    a.sign_up("two", UserAttributes=same)
    code = a.code()
    taken = {"Username": "two", "ConfirmationCode": code}
    message = re.compile("An account with the email already exists.")
    a.refused("somebody else's", "AliasExistsException", "confirm_sign_up", message, **taken)
    a.call("confirm_sign_up", ForceAliasCreation=True, **taken)
    s.same("taken over", claims(a.tokens("same@example.com")["IdToken"]).get("cognito:username"), "two")


@scene()
def names_in_other_letters(s):
    a = Accounts(s, UsernameConfiguration={"CaseSensitive": False})
    a.signed_up("Ann")
    s.same("sign-in", "AccessToken" in a.tokens("aNN"), True)
    a.refused("twice", "UsernameExistsException", "sign_up", "User already exists", Username="ANN", Password=PASSWORD)


@scene()
def names_in_the_same_letters(s):
    a = Accounts(s, UsernameConfiguration={"CaseSensitive": True})
    a.signed_up("Ann")
    s.same("another one", "UserSub" in a.sign_up("ann"), True)
