"""A pool with a client, and people in it: what the scenes of users have in common."""

import base64
import hashlib
import json

from clients import client
from pools import pool

PASSWORD, OTHER = "Secret-123", "Other-456"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
WRONG = "Incorrect username or password."
REVOKED = "Access Token has been revoked"
ABSENT = "User does not exist."
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


class Accounts:
    """Calls of one app client of one pool."""

    def __init__(self, s, secret=False, hidden=False, **settings):
        self.s = s
        self.pool = pool(s, **settings)["Id"]
        more = {"PreventUserExistenceErrors": "ENABLED"} if hidden else {}
        made = client(s, self.pool, GenerateSecret=secret, ExplicitAuthFlows=FLOWS, **more)
        self.client, self.secret = made["ClientId"], made.get("ClientSecret")
        self.sent = None

    def call(self, operation, /, **parameters):
        """As the app's client."""
        self.sent = self.s.cognito(operation, ClientId=self.client, **parameters)
        return self.sent

    def refused(self, name, code, operation, message=None, /, **parameters):
        return self.s.no_cognito(name, code, operation, message, ClientId=self.client, **parameters)

    def admin(self, operation, /, **parameters):
        return self.s.cognito(operation, UserPoolId=self.pool, **parameters)

    def not_admin(self, name, code, operation, message=None, /, **parameters):
        return self.s.no_cognito(name, code, operation, message, UserPoolId=self.pool, **parameters)

    def code(self):
        return self.s.server.code(self.sent)

    def sign_up(self, username="ann", password=PASSWORD, **more):
        return self.call("sign_up", Username=username, Password=password, **more)

    def signed_up(self, username="ann", password=PASSWORD, **more):
        """Signs up and confirms."""
        answer = self.sign_up(username, password, **more)
        self.admin("admin_confirm_sign_up", Username=username)
        return answer

    def ready(self, username="ann", password=PASSWORD, listed=()):
        """A user with verified attributes, who can sign in, and to whom nothing was sent."""
        self.admin("admin_create_user", Username=username, UserAttributes=list(listed), MessageAction="SUPPRESS", TemporaryPassword=OTHER)
        self.admin("admin_set_user_password", Username=username, Password=password, Permanent=True)

    def sign_in(self, username="ann", password=PASSWORD, flow="USER_PASSWORD_AUTH", **more):
        parameters = {"USERNAME": username, "PASSWORD": password, **more}
        return self.call("initiate_auth", AuthFlow=flow, AuthParameters=parameters)

    def tokens(self, username="ann", password=PASSWORD, **more):
        return self.sign_in(username, password, **more)["AuthenticationResult"]

    def no_sign_in(self, name, code, message=None, username="ann", password=PASSWORD, **more):
        parameters = {"USERNAME": username, "PASSWORD": password, **more}
        self.refused(name, code, "initiate_auth", message, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims(token):
    return json.loads(decoded(token.split(".")[1]))


def genuine(s, token, pool_id):
    """Whether a key of the pool has signed it."""
    header, payload, signature = token.split(".")
    head = json.loads(decoded(header))
    keys = json.loads(s.server.page(f"/{pool_id}/.well-known/jwks.json")[1])["keys"]
    key = next(key for key in keys if key["kid"] == head["kid"])
    modulus, exponent = (int.from_bytes(decoded(key[part]), "big") for part in "ne")
    found = pow(int.from_bytes(decoded(signature), "big"), exponent, modulus).to_bytes(256, "big")
    digest = hashlib.sha256(f"{header}.{payload}".encode()).digest()
    return head["alg"] == "RS256" and found == b"\x00\x01" + b"\xff" * 202 + b"\x00" + SHA256 + digest
