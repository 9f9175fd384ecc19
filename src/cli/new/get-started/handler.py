"""The handler of NAME.yaml: greets, in the standard library alone."""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, context):
    name = event.get("name", "world")
    logger.info("greeting %s", name)
    return {"greeting": f"Hello, {name}!", "length": len(name)}
