import time


def sleeps(event, context):
    print("asked about", event["userName"])
    time.sleep(7)
    return event
