"""create-user-pool-client, and what else makes, changes and removes app clients."""

import re

from checks import pick, scene
from pools import pool


def client(s, pool_id, **settings):
    return s.cognito("create_user_pool_client", **{"UserPoolId": pool_id, "ClientName": "conformance", **settings})["UserPoolClient"]


@scene()
def a_client_by_default(s):
    made = client(s, pool(s)["Id"])
    s.holds("the id", re.fullmatch(r"[\w+]{1,128}", made["ClientId"]), made["ClientId"])
    s.same("no secret", "ClientSecret" in made, False)
    s.same("the name", made["ClientName"], "conformance")
    s.same("a refresh token's days", made.get("RefreshTokenValidity"), 30)
    s.same("tokens can be revoked", made.get("EnableTokenRevocation"), True)
    s.same("a session's minutes", made.get("AuthSessionValidity"), 3)


@scene()
def a_client_with_every_setting(s):
    pool_id = pool(s)["Id"]
    settings = {
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "AccessTokenValidity": 10,
        "TokenValidityUnits": {"AccessToken": "minutes"},
        "PreventUserExistenceErrors": "ENABLED",
        "CallbackURLs": ["https://a"],
        "ReadAttributes": ["email"],
        "WriteAttributes": ["email"],
    }
    made = client(s, pool_id, GenerateSecret=True, **settings)
    for name, wanted in settings.items():
        s.same(name, made.get(name), wanted)
    s.holds("the secret", re.fullmatch(r"[\w+]{1,64}", made.get("ClientSecret", "")), "another form")
    found = s.cognito("describe_user_pool_client", UserPoolId=pool_id, ClientId=made["ClientId"])["UserPoolClient"]
    s.same("describe agrees", {name for name in found if found[name] != made.get(name)}, set())


@scene()
def clients_are_listed(s):
    pool_id = pool(s)["Id"]
    for name in ("one", "two"):
        client(s, pool_id, ClientName=name)
    listed = s.cognito("list_user_pool_clients", UserPoolId=pool_id, MaxResults=60)["UserPoolClients"]
    s.same("both", sorted(found["ClientName"] for found in listed), ["one", "two"])
    s.same("what each says", sorted(listed[0]), ["ClientId", "ClientName", "UserPoolId"])


@scene()
def an_update_resets_what_it_leaves_out(s):
    pool_id = pool(s)["Id"]
    made = client(s, pool_id, GenerateSecret=True, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], CallbackURLs=["https://a"])
    after = s.cognito("update_user_pool_client", UserPoolId=pool_id, ClientId=made["ClientId"])["UserPoolClient"]
    s.same("what has no default", sorted(pick(after, "ExplicitAuthFlows", "CallbackURLs")), [])
    s.same("what stays", pick(after, "ClientName", "ClientSecret") == pick(made, "ClientName", "ClientSecret"), True)


@scene()
def settings_that_contradict(s):
    pool_id = pool(s)["Id"]
    refusals = {
        "a token of two minutes": ("Invalid range for token validity.", {"AccessTokenValidity": 2, "TokenValidityUnits": {"AccessToken": "minutes"}}),
        "old and new flows": (re.compile("ALLOW_"), {"ExplicitAuthFlows": ["USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]}),
        "a flow that is none": (re.compile("explicitAuthFlows"), {"ExplicitAuthFlows": ["ALLOW_EVERYTHING"]}),
    }
    for name, (message, settings) in refusals.items():
        s.no_cognito(name, "InvalidParameterException", "create_user_pool_client", message, UserPoolId=pool_id, ClientName="x", **settings)
    s.no_cognito("no pool", "ResourceNotFoundException", "create_user_pool_client", UserPoolId="us-east-1_nothing99", ClientName="x")


@scene()
def a_client_is_removed(s):
    pool_id = pool(s)["Id"]
    made = client(s, pool_id)
    s.cognito("delete_user_pool_client", UserPoolId=pool_id, ClientId=made["ClientId"])
    message = f"User pool client {made['ClientId']} does not exist."
    s.no_cognito("it is gone", "ResourceNotFoundException", "describe_user_pool_client", message, UserPoolId=pool_id, ClientId=made["ClientId"])
    s.no_cognito("twice", "ResourceNotFoundException", "delete_user_pool_client", message, UserPoolId=pool_id, ClientId=made["ClientId"])
    s.no_cognito(
        "a client that never was",
        "ResourceNotFoundException",
        "describe_user_pool_client",
        "User pool client none does not exist.",
        UserPoolId=pool_id,
        ClientId="none",
    )
