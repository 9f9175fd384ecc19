"""The function behind every trigger of the conformance checks: it writes down what it is asked, and does what a user's name says."""

import json
import time


def handler(event, context):
    print("EVENT " + json.dumps(event))
    source, request, response = event["triggerSource"], event["request"], event["response"]
    name = event["userName"]
    kind = source.partition("_")[0]
    if name.startswith("boom") and kind == "PreSignUp":
        raise Exception("no " + name)
    if name.startswith("slow"):
        time.sleep(6)
    if name == "nonsense":
        return "nonsense"
    if name == "null":
        return None
    if kind == "PreSignUp" and name.startswith("auto"):
        response["autoConfirmUser"] = True
        response["autoVerifyEmail"] = "email" in request["userAttributes"]
    if kind == "CustomMessage":
        code = request["codeParameter"]
        response.update(emailSubject="Hi {username}", emailMessage=f"{source} {code}", smsMessage=f"sms {code}")
    if kind == "PreAuthentication" and (request.get("validationData") or {}).get("refuse"):
        raise Exception("not today")
    if kind == "UserMigration":
        migrate(name, response)
    if kind in QUIZ:
        QUIZ[kind](request, response)
    if kind == "TokenGeneration":
        tell(event["version"], response)
    return event


def migrate(name, response):
    if name.startswith("throws"):
        raise Exception("Bad password")
    if name.startswith(("old", "reset")):
        response.update(
            userAttributes={"email": name, "email_verified": "true"},
            messageAction="SUPPRESS",
            finalUserStatus="CONFIRMED" if name.startswith("old") else "RESET_REQUIRED",
        )


def tell(version, response):
    if version == "2":
        response["claimsAndScopeOverrideDetails"] = {
            "idTokenGeneration": {"claimsToAddOrOverride": {"y": {"z": 1}}},
            "accessTokenGeneration": {"claimsToAddOrOverride": {"w": [1]}, "scopesToAdd": ["a/b"]},
            "groupOverrideDetails": {"groupsToOverride": ["g"]},
        }
    else:
        response["claimsOverrideDetails"] = {"claimsToAddOrOverride": {"x": "1", "sub": "no"}, "claimsToSuppress": ["email"]}


def define(request, response):
    past = request["session"]
    response.update(
        challengeName=None if past else "CUSTOM_CHALLENGE",
        issueTokens=bool(past) and past[-1]["challengeResult"],
        failAuthentication=bool(past) and not past[-1]["challengeResult"],
    )


def create(request, response):
    response.update(publicChallengeParameters={"question": "2 + 2"}, privateChallengeParameters={"answer": "4"}, challengeMetadata="SUM")


def verify(request, response):
    response["answerCorrect"] = request["challengeAnswer"] == request["privateChallengeParameters"]["answer"]


QUIZ = {"DefineAuthChallenge": define, "CreateAuthChallenge": create, "VerifyAuthChallengeResponse": verify}
