def handler(event, context):
    return {"number": event["number"] + 1}
