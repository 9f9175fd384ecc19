def handler(event, context):
    return event


def another(event, context):
    return event
