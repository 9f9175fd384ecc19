"""The handler of NAME.yaml: takes orders from a queue, and names those that it could not take."""

import json
import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, context):
    failed = []
    for message in event["Records"]:
        try:
            order = json.loads(message["body"])
            logger.info("order %s: %d pieces", order["id"], order["pieces"])
        except (ValueError, KeyError, TypeError) as error:
            logger.error("%s is no order: %r", message["messageId"], error)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
