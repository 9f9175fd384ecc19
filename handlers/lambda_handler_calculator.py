"""Calculates with two numbers.

Event: {"action": "plus", "x": 2, "y": 3} -> {"result": 5}

The result is null for an action that it does not know and for a division by zero; its log says which. LOG_LEVEL sets how
much it logs.
"""

import logging
import operator
import os

logger = logging.getLogger()

ACTIONS = {
    "plus": operator.add,
    "minus": operator.sub,
    "times": operator.mul,
    "divided-by": operator.truediv,
}


def lambda_handler(event, context):
    logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    logger.debug("Event: %s", event)
    action, x, y = event.get("action"), event.get("x"), event.get("y")
    result = None
    calculate = ACTIONS.get(action)
    if calculate is None:
        logger.error("%r is not an action: %s are", action, ", ".join(ACTIONS))
    else:
        try:
            result = calculate(x, y)
            logger.info("%s %s %s is %s", x, action, y, result)
        except ZeroDivisionError:
            logger.warning("%s cannot be divided by zero", x)
    return {"result": result}
