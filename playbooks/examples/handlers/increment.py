"""Adds one to a number: {"number": 41} -> {"result": 42}."""


def handler(event, context):
    print("incrementing")
    return {"result": event["number"] + 1}
