"""Adds one to a number.

Event: {"action": "increment", "number": 41} -> {"result": 42}
"""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    action = event.get("action")
    result = None
    if action == "increment":
        result = event.get("number", 0) + 1
        logger.info("Incremented to %s", result)
    else:
        logger.error("%r is not an action: only 'increment' is", action)
    return {"result": result}
