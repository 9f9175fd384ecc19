import json
import time


def throws(event, context):
    print("asked about", event["userName"])
    raise ValueError("nobody may sign up today")


def sleeps(event, context):
    print("asked about", event["userName"])
    time.sleep(60)


def talks_nonsense(event, context):
    print("asked about", event["userName"], "with", json.dumps(event["request"].get("password")))
    return ["confirmed"]
