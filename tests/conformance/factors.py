"""More than a password: proofs of it, apps, questions of one's own; groups, refreshing, attributes that come later."""

import base64
import hashlib
import hmac
import json
import os
import re
import struct
import time

from accounts import ABSENT, OTHER, PASSWORD, WRONG, Accounts, claims
from checks import attributes, eventually, scene, values
from triggers import GROUP, Triggered, function

THREE = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
SESSION = "Invalid session for the user."
FLOWS = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]
G = 2
# RFC 5054, 3072 bits.
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33"
    "A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864"
    "D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)


def signed(number):
    """A number as a signed one, in as few bytes as it takes."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def whole(raw):
    return int.from_bytes(raw, "big")


class Proof:
    """The client's half of an SRP exchange, as AWS's own clients do it."""

    def __init__(self, pool, password):
        self.pool, self.password = pool.partition("_")[2], password
        self.private = whole(os.urandom(32))
        self.public = pow(G, self.private, N)

    def answer(self, parameters):
        user = parameters["USER_ID_FOR_SRP"]
        theirs, salt = int(parameters["SRP_B"], 16), int(parameters["SALT"], 16)
        scramble = whole(digest(signed(self.public), signed(theirs)))
        secret = whole(digest(signed(salt), digest(f"{self.pool}{user}:{self.password}".encode())))
        masked = whole(digest(signed(N), bytes([G]))) * pow(G, secret, N)
        shared = pow(theirs - masked, self.private + scramble * secret, N)
        key = hmac.digest(hmac.digest(signed(scramble), signed(shared), "sha256"), b"Caldera Derived Key\x01", "sha256")[:16]
        when = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime())
        said = self.pool.encode() + user.encode() + base64.b64decode(parameters["SECRET_BLOCK"]) + when.encode()
        return {
            "USERNAME": user,
            "TIMESTAMP": when,
            "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, said, "sha256")).decode(),
        }


def app_code(secret, steps=0):
    """What an authenticator app shows (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + steps), "sha1")
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def opened(a):
    """Lets the client use every flow."""
    a.s.cognito("update_user_pool_client", UserPoolId=a.pool, ClientId=a.client, ExplicitAuthFlows=FLOWS)
    return a


def answered(a, challenge, **responses):
    more = {"Session": challenge["Session"]} if "Session" in challenge else {}
    return a.call("respond_to_auth_challenge", ChallengeName=challenge["ChallengeName"], ChallengeResponses=responses, **more)


def not_answered(a, name, code, challenge, message, **responses):
    more = {"Session": challenge["Session"]} if "Session" in challenge else {}
    a.refused(name, code, "respond_to_auth_challenge", message, ChallengeName=challenge["ChallengeName"], ChallengeResponses=responses, **more)


def begun(a, username="ann", password=PASSWORD, flow="USER_SRP_AUTH", **more):
    proof = Proof(a.pool, password)
    parameters = {"USERNAME": username, "SRP_A": f"{proof.public:x}", **more}
    return proof, a.call("initiate_auth", AuthFlow=flow, AuthParameters=parameters)


@scene()
def proving_a_password(s):
    a = Accounts(s)
    a.ready()
    refused = {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": "ann", "SRP_A": "5"}}
    a.refused("not enabled", "InvalidParameterException", "initiate_auth", "USER_SRP_AUTH is not enabled for the client.", **refused)
    opened(a)
    proof, challenge = begun(a)
    s.same("the challenge", challenge["ChallengeName"], "PASSWORD_VERIFIER")
    s.same("its parameters", sorted(challenge["ChallengeParameters"]), ["SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"])
    tokens = answered(a, challenge, **proof.answer(challenge["ChallengeParameters"]))["AuthenticationResult"]
    s.same("whose tokens", claims(tokens["AccessToken"])["username"], "ann")
    proof, challenge = begun(a, password=OTHER)
    not_answered(a, "a wrong one", "NotAuthorizedException", challenge, WRONG, **proof.answer(challenge["ChallengeParameters"]))
    a.refused("nobody", "UserNotFoundException", "initiate_auth", ABSENT, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": "bob", "SRP_A": "5"})
    zero = {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": "ann", "SRP_A": "0"}}
    a.refused("a number that gives the secret away", "InvalidParameterException", "initiate_auth", **zero)


@scene()
def proving_by_an_address(s):
    a = opened(Accounts(s, UsernameAttributes=["email"]))
    a.ready("ann@example.com")
    proof, challenge = begun(a, "ann@example.com")
    s.holds("the user's own name", "@" not in challenge["ChallengeParameters"]["USER_ID_FOR_SRP"])
    s.holds("tokens", "AuthenticationResult" in answered(a, challenge, **proof.answer(challenge["ChallengeParameters"])))


@scene()
def proving_a_temporary_password(s):
    a = opened(Accounts(s))
    a.admin("admin_create_user", Username="ann", MessageAction="SUPPRESS", TemporaryPassword=OTHER)
    proof, challenge = begun(a, password=OTHER)
    challenge = answered(a, challenge, **proof.answer(challenge["ChallengeParameters"]))
    s.same("a new one is wanted", challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED")
    answered(a, challenge, USERNAME="ann", NEW_PASSWORD=PASSWORD)
    proof, challenge = begun(a)
    s.holds("it counts", "AuthenticationResult" in answered(a, challenge, **proof.answer(challenge["ChallengeParameters"])))


@scene()
def an_authenticator_app(s):
    a = Accounts(s)
    a.ready()
    token = a.tokens()["AccessToken"]
    absent = "Software Token MFA is not enabled for the userPool"
    s.no_cognito("not enabled", "SoftwareTokenMFANotFoundException", "associate_software_token", absent, AccessToken=token)
    a.admin("set_user_pool_mfa_config", MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True})
    known = a.admin("get_user_pool_mfa_config")
    s.same("the pool's", {"mode": known["MfaConfiguration"], "app": known["SoftwareTokenMfaConfiguration"]}, {"mode": "OPTIONAL", "app": {"Enabled": True}})
    secret = s.cognito("associate_software_token", AccessToken=token)["SecretCode"]
    s.same("the secret", len(secret), 52)
    early = "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"
    wish = {"SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True}}
    s.no_cognito("before it is verified", "InvalidParameterException", "set_user_mfa_preference", early, AccessToken=token, **wish)
    wrong = "000000" if app_code(secret) != "000000" else "111111"
    s.no_cognito("a wrong code", "EnableSoftwareTokenMFAException", "verify_software_token", "Code mismatch", AccessToken=token, UserCode=wrong)
    verified = s.cognito("verify_software_token", AccessToken=token, UserCode=app_code(secret, -1), FriendlyDeviceName="mine")
    s.same("verified", verified["Status"], "SUCCESS")
    s.cognito("set_user_mfa_preference", AccessToken=token, **wish)
    found = a.admin("admin_get_user", Username="ann")
    s.same("what the user has", [found["UserMFASettingList"], found["PreferredMfaSetting"]], [["SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA"])
    challenge = a.sign_in()
    s.same("asked for", challenge["ChallengeName"], "SOFTWARE_TOKEN_MFA")
    s.same("its parameters", challenge["ChallengeParameters"], {"USER_ID_FOR_SRP": "ann", "FRIENDLY_DEVICE_NAME": "mine"})
    answer = {"USERNAME": "ann", "SOFTWARE_TOKEN_MFA_CODE": wrong}
    not_answered(a, "a wrong answer", "CodeMismatchException", challenge, "Invalid code received for user", **answer)
    code = app_code(secret)
    s.holds("tokens", "AuthenticationResult" in answered(a, challenge, USERNAME="ann", SOFTWARE_TOKEN_MFA_CODE=code))
    challenge = a.sign_in()
    used = "Your software token has already been used once."
    not_answered(a, "twice", "ExpiredCodeException", challenge, used, USERNAME="ann", SOFTWARE_TOKEN_MFA_CODE=code)
    a.admin("admin_set_user_mfa_preference", Username="ann", SoftwareTokenMfaSettings={"Enabled": False})
    s.holds("switched off", "AuthenticationResult" in a.sign_in())


@scene()
def an_app_on_the_way_in(s):
    a = Accounts(s)
    a.ready()
    a.admin("set_user_pool_mfa_config", MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True})
    challenge = a.sign_in()
    s.same("what is asked", [challenge["ChallengeName"], challenge["ChallengeParameters"]["MFAS_CAN_SETUP"]], ["MFA_SETUP", '["SOFTWARE_TOKEN_MFA"]'])
    made = s.cognito("associate_software_token", Session=challenge["Session"])
    verified = s.cognito("verify_software_token", Session=made["Session"], UserCode=app_code(made["SecretCode"]))
    tokens = answered(a, {"ChallengeName": "MFA_SETUP", "Session": verified["Session"]}, USERNAME="ann")
    s.holds("tokens", "AuthenticationResult" in tokens)
    s.same("from then on", a.sign_in()["ChallengeName"], "SOFTWARE_TOKEN_MFA")


@scene()
def second_factors_of_a_pool(s):
    a = Accounts(s)
    none = "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."
    a.not_admin("none at all", "InvalidParameterException", "set_user_pool_mfa_config", none, MfaConfiguration="ON")
    both = "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
    app = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    a.not_admin("off and on", "InvalidParameterException", "set_user_pool_mfa_config", both, MfaConfiguration="OFF", **app)
    sms = "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
    s.no_cognito("with the pool, without SMS", "InvalidParameterException", "create_user_pool", sms, PoolName="p", MfaConfiguration="ON")


@scene()
def questions_of_ones_own(s):
    a = Triggered(s)
    arn = function(s)
    a.admin("update_user_pool", LambdaConfig=dict.fromkeys(THREE, arn))
    opened(a)
    a.ready("quiz")
    begin = {"AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": "quiz"}}
    challenge = a.call("initiate_auth", **begin)
    s.same("a question", [challenge["ChallengeName"], challenge["ChallengeParameters"]], ["CUSTOM_CHALLENGE", {"USERNAME": "quiz", "question": "2 + 2"}])
    tokens = answered(a, challenge, USERNAME="quiz", ANSWER="4")
    s.holds("tokens", "AuthenticationResult" in tokens)
    not_answered(a, "an answer to nothing", "NotAuthorizedException", challenge, SESSION, USERNAME="quiz", ANSWER="4")
    challenge = a.call("initiate_auth", **begin)
    not_answered(a, "a wrong answer", "NotAuthorizedException", challenge, WRONG, USERNAME="quiz", ANSWER="5")

    def look():
        pages = s.client("logs").get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern="EVENT")
        found = [json.loads(event["message"].partition("EVENT ")[2]) for page in pages for event in page["events"]]
        mine = [event for event in found if event["userPoolId"] == a.pool]
        return mine if len(mine) >= 8 else None

    found = eventually(look, 3) or []
    order = [event["triggerSource"].partition("Auth")[0] for event in found]
    s.same("what fires", order, ["Define", "Create", "Verify", "Define", "Define", "Create", "Verify", "Define"])
    if len(order) == 8:
        first = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": "SUM"}
        s.same("what has been asked", found[3]["request"]["session"], [first])
        s.same("Define's response", found[0]["response"], {"challengeName": None, "issueTokens": None, "failAuthentication": None})
        create = {"publicChallengeParameters": None, "privateChallengeParameters": None, "challengeMetadata": None}
        s.same("Create's response", found[1]["response"], create)
        s.same("Verify's response", found[2]["response"], {"answerCorrect": None})
        s.same("Verify's request", {name: found[2]["request"][name] for name in ("challengeAnswer", "privateChallengeParameters")}, {"challengeAnswer": "4", "privateChallengeParameters": {"answer": "4"}})


@scene()
def a_pool_without_questions(s):
    a = opened(Accounts(s))
    a.ready()
    message = "Custom auth lambda trigger is not configured for the user pool."
    a.refused("refused", "InvalidParameterException", "initiate_auth", message, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})


@scene()
def groups(s):
    a = Accounts(s)
    a.ready()
    role = "arn:aws:iam::000000000000:role/{}".format
    made = a.admin("create_group", GroupName="readers", Description="who read", Precedence=5, RoleArn=role("read"))["Group"]
    s.same("made", {name: made[name] for name in ("GroupName", "UserPoolId", "Description", "Precedence", "RoleArn")}, {"GroupName": "readers", "UserPoolId": a.pool, "Description": "who read", "Precedence": 5, "RoleArn": role("read")})
    exists = "A group with the name already exists."
    a.not_admin("twice", "GroupExistsException", "create_group", exists, GroupName="readers")
    a.admin("create_group", GroupName="writers", Precedence=1, RoleArn=role("write"))
    for name in ("readers", "writers"):
        a.admin("admin_add_user_to_group", GroupName=name, Username="ann")
    tokens = a.tokens()
    told = claims(tokens["IdToken"])
    s.same("in the ID token", told.get("cognito:groups"), ["writers", "readers"])
    s.same("the roles", sorted(told.get("cognito:roles", [])), [role("read"), role("write")])
    s.same("the role that goes first", told.get("cognito:preferred_role"), role("write"))
    s.same("in the access token", claims(tokens["AccessToken"]).get("cognito:groups"), ["writers", "readers"])
    s.same("members", [user["Username"] for user in a.admin("list_users_in_group", GroupName="readers")["Users"]], ["ann"])
    s.same("of ann", sorted(group["GroupName"] for group in a.admin("admin_list_groups_for_user", Username="ann")["Groups"]), ["readers", "writers"])
    page = a.admin("list_groups", Limit=1)
    s.same("a page", [len(page["Groups"]), len(a.admin("list_groups", NextToken=page["NextToken"])["Groups"])], [1, 1])
    a.admin("update_group", GroupName="readers", Precedence=0)
    s.same("updated", {name: a.admin("get_group", GroupName="readers")["Group"].get(name) for name in ("Description", "Precedence")}, {"Description": "who read", "Precedence": 0})
    a.admin("admin_remove_user_from_group", GroupName="writers", Username="ann")
    a.admin("delete_group", GroupName="writers")
    a.not_admin("gone", "ResourceNotFoundException", "get_group", "Group not found.", GroupName="writers")
    a.not_admin("somebody who is not there", "UserNotFoundException", "admin_add_user_to_group", ABSENT, GroupName="readers", Username="bob")
    a.not_admin("a group that is not there", "ResourceNotFoundException", "admin_add_user_to_group", "Group not found.", GroupName="x", Username="ann")


@scene()
def refreshing(s):
    a = Accounts(s)
    a.ready()
    token = a.tokens()["RefreshToken"]
    fresh = a.call("get_tokens_from_refresh_token", RefreshToken=token)["AuthenticationResult"]
    s.same("what comes", sorted(fresh), ["AccessToken", "ExpiresIn", "IdToken", "TokenType"])
    a.call("revoke_token", Token=token)
    a.refused("revoked", "NotAuthorizedException", "get_tokens_from_refresh_token", "Refresh Token has been revoked", RefreshToken=token)
    a.refused("none", "NotAuthorizedException", "get_tokens_from_refresh_token", "Invalid Refresh Token", RefreshToken="x")


@scene()
def attributes_that_come_later(s):
    a = Accounts(s)
    a.ready()
    level = {"Name": "level", "AttributeDataType": "Number", "NumberAttributeConstraints": {"MinValue": "1", "MaxValue": "5"}}
    a.admin("add_custom_attributes", CustomAttributes=[level])
    twice = "custom:level: Existing attribute already has name custom:level."
    a.not_admin("twice", "InvalidParameterException", "add_custom_attributes", twice, CustomAttributes=[level])
    a.admin("admin_update_user_attributes", Username="ann", UserAttributes=attributes(custom__level="3"))
    bound = re.compile("custom:level")
    a.not_admin("over its bound", "InvalidParameterException", "admin_update_user_attributes", bound, Username="ann", UserAttributes=attributes(custom__level="6"))
    a.admin("admin_update_user_attributes", Username="ann", UserAttributes=attributes(email="a@example.com", email_verified="True"))
    s.same("a flag in capitals", values(a.admin("admin_get_user", Username="ann")["UserAttributes"]).get("email_verified"), "true")
    gone = "Invalid user attributes: user.custom:x: Attribute does not exist in the schema.\n"
    a.not_admin("taking away what is not there", "InvalidParameterException", "admin_delete_user_attributes", gone, Username="ann", UserAttributeNames=["custom:x"])


@scene()
def somebody_elses_address(s):
    a = Accounts(s, UsernameAttributes=["email"])
    for name in ("ann@example.com", "bob@example.com"):
        a.ready(name)
    taken = "An account with the given email already exists."
    wish = {"Username": "bob@example.com", "UserAttributes": attributes(email="ann@example.com")}
    a.not_admin("as a name", "AliasExistsException", "admin_update_user_attributes", taken, **wish)
    b = Accounts(s, AliasAttributes=["email"])
    for name in ("ann", "bob"):
        b.ready(name)
        b.admin("admin_update_user_attributes", Username=name, UserAttributes=attributes(email="x@example.com", email_verified="true"))
    s.same("an alias moves", [values(b.admin("admin_get_user", Username=name)["UserAttributes"])["email_verified"] for name in ("ann", "bob")], ["false", "true"])
