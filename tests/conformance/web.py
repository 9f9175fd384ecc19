"""What the embedded AWS serves beside the services: keys, the inbox, and a door for signed calls alone."""

import json
import urllib.error

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from checks import scene
from pools import pool


@scene()
def an_inbox_to_look_at(s):
    headers, text = s.server.page("/_playbook/inbox", "text/html")
    s.holds("a page", headers["content-type"].startswith("text/html") and "<table" in text, headers["content-type"])
    s.same("without programs", "<script" in text, False)


@scene()
def keys(s):
    made = pool(s)
    found = json.loads(s.server.page(f"/{made['Id']}/.well-known/openid-configuration")[1])
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{made['Id']}"
    s.same("where they are", found["jwks_uri"], f"{issuer}/.well-known/jwks.json")
    listed = json.loads(s.server.page(f"/{made['Id']}/.well-known/jwks.json")[1])["keys"]
    s.same("what each says", sorted(listed[0]), ["alg", "e", "kid", "kty", "n", "use"])
    try:
        s.server.page("/us-east-1_nothing99/.well-known/jwks.json")
        s.same("of no pool", "a page", "refused")
    except urllib.error.HTTPError as error:
        s.same("of no pool", "refused" if error.code in (403, 404) else error.code, "refused")


@scene()
def unsigned_calls(s):
    for service, operation, parameters, code in (
        ("cognito-idp", "list_user_pools", {"MaxResults": 1}, "MissingAuthenticationTokenException"),
        ("dynamodb", "list_tables", {}, "MissingAuthenticationTokenException"),
        ("cloudformation", "list_stacks", {}, "MissingAuthenticationToken"),
    ):
        client = boto3.client(service, config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
        try:
            getattr(client, operation)(**parameters)
            s.same(service, "no refusal", code)
        except ClientError as error:
            s.same(service, error.response["Error"]["Code"], code)
