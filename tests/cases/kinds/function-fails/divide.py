import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, context):
    logger.info("dividing by %s", event["by"])
    return {"result": 12 / event["by"]}
