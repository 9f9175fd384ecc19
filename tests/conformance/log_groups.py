"""Log groups, their streams, and what is written to them."""

import re
import time
import uuid

from botocore.exceptions import ClientError

from checks import eventually, pick, scene

ABSENT = "The specified log group does not exist."
NO_STREAM = "The specified log stream does not exist."


def logs(s, operation, /, **parameters):
    return s.call("logs", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "logs", operation, message=message, **parameters)


def group(s, name=None, **settings):
    """The name of a log group that goes when the scene ends."""
    name = name or f"/conformance/{uuid.uuid4().hex[:8]}"
    logs(s, "create_log_group", logGroupName=name, **settings)
    s.after.callback(remove, s, name)
    return name


def remove(s, name):
    try:
        s.client("logs").delete_log_group(logGroupName=name)
    except ClientError:
        pass


def stream(s, name, *messages, at=None):
    """A group's stream with a message every millisecond."""
    logs(s, "create_log_stream", logGroupName=name[0], logStreamName=name[1])
    start = at or int(time.time() * 1000)
    events = [{"timestamp": start + number, "message": message} for number, message in enumerate(messages)]
    logs(s, "put_log_events", logGroupName=name[0], logStreamName=name[1], logEvents=events)
    return start


@scene()
def making(s):
    name = group(s, tags={"purpose": "test"})
    refused(s, "twice", "ResourceAlreadyExistsException", "create_log_group", "The specified log group already exists", logGroupName=name)
    refused(s, "a name with a blank", "InvalidParameterException", "create_log_group", re.compile("logGroupName"), logGroupName="a b")
    found = logs(s, "describe_log_groups", logGroupNamePrefix=name)["logGroups"][0]
    s.holds("the ARN", re.fullmatch(rf"arn:aws:logs:us-east-1:\d{{12}}:log-group:{name}:\*", found["arn"]), found["arn"])
    s.holds("when", abs(found["creationTime"] - time.time() * 1000) < 60_000)
    arn = found["arn"].removesuffix(":*")
    logs(s, "tag_resource", resourceArn=arn, tags={"a": "1"})
    s.same("tags", logs(s, "list_tags_for_resource", resourceArn=arn)["tags"], {"purpose": "test", "a": "1"})
    logs(s, "untag_resource", resourceArn=arn, tagKeys=["a"])
    s.same("tags afterwards", logs(s, "list_tags_for_resource", resourceArn=arn)["tags"], {"purpose": "test"})
    logs(s, "delete_log_group", logGroupName=name)
    refused(s, "gone", "ResourceNotFoundException", "delete_log_group", ABSENT, logGroupName=name)


@scene()
def retention(s):
    name = group(s)
    logs(s, "put_retention_policy", logGroupName=name, retentionInDays=14)
    s.same("days", logs(s, "describe_log_groups", logGroupNamePrefix=name)["logGroups"][0].get("retentionInDays"), 14)
    refused(s, "days that are none", "InvalidParameterException", "put_retention_policy", logGroupName=name, retentionInDays=2)
    refused(s, "no group", "ResourceNotFoundException", "put_retention_policy", ABSENT, logGroupName="nope", retentionInDays=1)
    logs(s, "delete_retention_policy", logGroupName=name)
    s.same("for ever", "retentionInDays" in logs(s, "describe_log_groups", logGroupNamePrefix=name)["logGroups"][0], False)


@scene()
def page_by_page(s):
    prefix = f"/pages/{uuid.uuid4().hex[:8]}"
    names = [group(s, f"{prefix}/{number:02}") for number in range(52)]
    first = logs(s, "describe_log_groups", logGroupNamePrefix=prefix)
    s.same("fifty a page", [len(first["logGroups"]), "nextToken" in first], [50, True])
    pages = s.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    s.same("all, in order", [each["logGroupName"] for page in pages for each in page["logGroups"]] == names, True)


@scene()
def streams(s):
    name = group(s)
    first = stream(s, (name, "a"), "a0", "a1 ERROR")
    stream(s, (name, "b"), "b0", at=first - 10)

    def latest():
        return logs(s, "describe_log_streams", logGroupName=name, orderBy="LastEventTime", descending=True)["logStreams"]

    eventually(lambda: all("lastEventTimestamp" in each for each in latest()))
    found = latest()
    s.same("the latest first", [each["logStreamName"] for each in found], ["a", "b"])
    expected = {"firstEventTimestamp": first, "lastEventTimestamp": first + 1}
    s.same("from when to when", pick(found[0], *expected) == expected, True)
    taken = {"logGroupName": name, "logStreamName": "a"}
    refused(s, "twice", "ResourceAlreadyExistsException", "create_log_stream", "The specified log stream already exists", **taken)
    refused(s, "no group", "ResourceNotFoundException", "create_log_stream", ABSENT, logGroupName="nope", logStreamName="a")
    refused(s, "of no group", "ResourceNotFoundException", "describe_log_streams", ABSENT, logGroupName="nope")
    both = {"logGroupName": name, "orderBy": "LastEventTime", "logStreamNamePrefix": "a"}
    message = "Cannot order by LastEventTime with a logStreamNamePrefix."
    refused(s, "an order of some", "InvalidParameterException", "describe_log_streams", message, **both)
    logs(s, "delete_log_stream", logGroupName=name, logStreamName="b")
    refused(s, "gone", "ResourceNotFoundException", "delete_log_stream", NO_STREAM, logGroupName=name, logStreamName="b")


@scene()
def reading(s):
    name = group(s)
    stream(s, (name, "a"), "a0", "a1", "a2", "a3", "a4")
    one = {"logGroupName": name, "logStreamName": "a"}

    def messages(**more):
        return logs(s, "get_log_events", **one, **more)

    eventually(lambda: len(messages(startFromHead=True)["events"]) == 5)
    head = messages(startFromHead=True, limit=2)
    s.same("the first two", [event["message"] for event in head["events"]], ["a0", "a1"])
    after = messages(startFromHead=True, limit=2, nextToken=head["nextForwardToken"])
    s.same("and on", [event["message"] for event in after["events"]], ["a2", "a3"])
    tail = messages(limit=2)
    s.same("the last two", [event["message"] for event in tail["events"]], ["a3", "a4"])
    before = messages(limit=10, nextToken=tail["nextBackwardToken"])
    s.same("and back", [event["message"] for event in before["events"]], ["a0", "a1", "a2"])
    end = messages(limit=10, nextToken=before["nextBackwardToken"])
    s.same("the end is the same token", [end["events"], end["nextBackwardToken"] == before["nextBackwardToken"]], [[], True])
    refused(s, "a token that is none", "InvalidParameterException", "get_log_events", nextToken="x", **one)
    refused(s, "no stream", "ResourceNotFoundException", "get_log_events", NO_STREAM, logGroupName=name, logStreamName="nope")


@scene()
def filtering(s):
    name = group(s)
    start = stream(s, (name, "a"), "a0", "a1 ERROR", "a2", "a3 ERROR")
    stream(s, (name, "b"), "b unicode é \U0001f600 disk full", at=start + 2)

    def messages(**more):
        pages = s.client("logs").get_paginator("filter_log_events").paginate(logGroupName=name, **more)
        return [event["message"][:2] for page in pages for event in page["events"]]

    eventually(lambda: len(messages()) == 5)
    s.same("page by page, by time", sorted(messages(PaginationConfig={"PageSize": 2})), ["a0", "a1", "a2", "a3", "b "])
    s.same("a word", messages(filterPattern="ERROR"), ["a1", "a3"])
    s.same("a phrase", messages(filterPattern='"disk full"'), ["b "])
    s.same("a time", messages(startTime=start + 3), ["a3"])
    s.same("some streams", messages(logStreamNamePrefix="b"), ["b "])
    both = {"logGroupName": name, "logStreamNames": ["a"], "logStreamNamePrefix": "a"}
    refused(s, "two ways to say which", "InvalidParameterException", "filter_log_events", **both)
    refused(s, "no group", "ResourceNotFoundException", "filter_log_events", ABSENT, logGroupName="nope")


@scene()
def writing(s):
    name = group(s)
    now = stream(s, (name, "a"), "first")
    one = {"logGroupName": name, "logStreamName": "a"}
    future = [{"timestamp": now + 3 * 3_600_000, "message": "future"}]
    rejected = logs(s, "put_log_events", logEvents=future, **one).get("rejectedLogEventsInfo")
    s.same("what is yet to be", rejected, {"tooNewLogEventStartIndex": 0})
    backwards = [{"timestamp": now, "message": "x"}, {"timestamp": now - 1, "message": "x"}]
    refused(s, "backwards", "InvalidParameterException", "put_log_events", re.compile("chronological"), logEvents=backwards, **one)
    event = [{"timestamp": now, "message": "x"}]
    nowhere = {"logGroupName": name, "logStreamName": "nope", "logEvents": event}
    refused(s, "no stream", "ResourceNotFoundException", "put_log_events", NO_STREAM, **nowhere)
