"""The PreSignUp trigger of NAME.yaml: whoever has an address of our own needs no code to confirm it."""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, context):
    address = event["request"]["userAttributes"].get("email", "")
    known = address.endswith("@example.com")
    logger.info("%s is %s", event["userName"], "known" if known else "not known")
    event["response"]["autoConfirmUser"] = known
    event["response"]["autoVerifyEmail"] = known
    return event
