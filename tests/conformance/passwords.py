"""sign-in, forgot-password, confirm-forgot-password: passwords wrong, lost and changed."""

from botocore.exceptions import ClientError

from accounts import ABSENT, OTHER, PASSWORD, WRONG, Accounts
from checks import attributes, scene

VERIFIED = attributes(email="new@example.com", email_verified="true")
NO_SUCH_CODE = "Invalid verification code provided, please try again."


@scene()
def a_wrong_password(s):
    a = Accounts(s)
    a.ready()
    a.no_sign_in("wrong", "NotAuthorizedException", WRONG, password=OTHER)
    a.no_sign_in("nobody", "UserNotFoundException", ABSENT, username="bob")
    s.same("right", "AccessToken" in a.tokens(), True)


@scene()
def five_wrong_passwords(s):
    a = Accounts(s)
    a.ready()
    for _ in range(5):
        try:
            a.sign_in(password=OTHER)
        except ClientError:
            pass
    a.no_sign_in("the right one is too late", "NotAuthorizedException", "Password attempts exceeded")


@scene()
def changing(s):
    a = Accounts(s)
    a.ready()
    token = a.tokens()["AccessToken"]
    wrong = {"AccessToken": token, "PreviousPassword": OTHER, "ProposedPassword": OTHER}
    s.no_cognito("a wrong one before", "NotAuthorizedException", "change_password", WRONG, **wrong)
    s.cognito("change_password", AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=OTHER)
    s.same("afterwards", "AccessToken" in a.tokens(password=OTHER), True)


@scene()
def changing_to_a_weak_one(s):
    a = Accounts(s)
    a.ready()
    weak = {"AccessToken": a.tokens()["AccessToken"], "PreviousPassword": PASSWORD, "ProposedPassword": "Aa1!ab"}
    message = "Password does not conform to policy: Password not long enough"
    s.no_cognito("a weak one after", "InvalidPasswordException", "change_password", message, **weak)


@scene()
def forgotten(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.ready(listed=VERIFIED)
    answer = a.call("forgot_password", Username="ann")
    delivery = {"Destination": "n***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    s.same("where the code went", answer.get("CodeDeliveryDetails"), delivery)
    code = a.code()
    s.same("the old one works until then", "AccessToken" in a.tokens(), True)
    a.call("confirm_forgot_password", Username="ann", ConfirmationCode=code, Password=OTHER)
    s.same("afterwards", "AccessToken" in a.tokens(password=OTHER), True)
    a.no_sign_in("the old one", "NotAuthorizedException", WRONG)
    message = "Invalid code provided, please request a code again."
    used = {"Username": "ann", "ConfirmationCode": code, "Password": PASSWORD}
    a.refused("the code is used", "ExpiredCodeException", "confirm_forgot_password", message, **used)


@scene()
def forgotten_and_then_weak(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.ready(listed=VERIFIED)
    a.call("forgot_password", Username="ann")
    weak = {"Username": "ann", "ConfirmationCode": a.code(), "Password": "secret-123"}
    message = "Password does not conform to policy: Password must have uppercase characters"
    a.refused("a weak one", "InvalidPasswordException", "confirm_forgot_password", message, **weak)


@scene()
def forgotten_and_then_mistyped(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.ready(listed=VERIFIED)
    a.call("forgot_password", Username="ann")
    mistyped = {"Username": "ann", "ConfirmationCode": "000000", "Password": OTHER}
    a.refused("a wrong code", "CodeMismatchException", "confirm_forgot_password", NO_SUCH_CODE, **mistyped)
    s.same("the password stays", "AccessToken" in a.tokens(), True)


@scene()
def forgotten_by_nobody(s):
    a = Accounts(s)
    stranger = "Username/client id combination not found."
    a.refused("nobody", "UserNotFoundException", "forgot_password", stranger, Username="bob")
    one = {"Username": "bob", "ConfirmationCode": "123456", "Password": OTHER}
    a.refused("nobody confirms", "UserNotFoundException", "confirm_forgot_password", stranger, **one)


@scene()
def forgotten_without_an_address(s):
    a = Accounts(s)
    a.ready()
    message = "Cannot reset password for the user as there is no registered/verified email or phone_number"
    a.refused("nowhere to send it", "InvalidParameterException", "forgot_password", message, Username="ann")


@scene()
def reset_by_an_administrator(s):
    a = Accounts(s, AutoVerifiedAttributes=["email"])
    a.ready(listed=VERIFIED)
    a.admin("admin_reset_user_password", Username="ann")
    s.same("the status", a.admin("admin_get_user", Username="ann")["UserStatus"], "RESET_REQUIRED")
    a.no_sign_in("the old one", "PasswordResetRequiredException", "Password reset required for the user")
    a.call("forgot_password", Username="ann")
    a.call("confirm_forgot_password", Username="ann", ConfirmationCode=a.code(), Password=OTHER)
    s.same("afterwards", "AccessToken" in a.tokens(password=OTHER), True)
    s.same("the status afterwards", a.admin("admin_get_user", Username="ann")["UserStatus"], "CONFIRMED")
