"""Kinesis: streams, records by shard, iterators."""

import re
import uuid

from botocore.exceptions import ClientError

from checks import pick, scene


def kinesis(s, operation, /, **parameters):
    return s.call("kinesis", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "kinesis", operation, message=message, **parameters)


def stream(s, shards):
    """A stream that goes when the scene ends."""
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    kinesis(s, "create_stream", StreamName=name, ShardCount=shards)
    s.after.callback(remove, s, name)
    s.client("kinesis").get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return name


def remove(s, name):
    try:
        s.client("kinesis").delete_stream(StreamName=name)
    except ClientError:
        pass


@scene()
def records(s):
    name = stream(s, 1)
    shown = kinesis(s, "describe_stream_summary", StreamName=name)["StreamDescriptionSummary"]
    s.same("what it is", pick(shown, "StreamName", "StreamStatus", "OpenShardCount", "RetentionPeriodHours"), {"StreamName": name, "StreamStatus": "ACTIVE", "OpenShardCount": 1, "RetentionPeriodHours": 24})
    s.holds("the ARN", re.fullmatch(rf"arn:aws:kinesis:us-east-1:\d{{12}}:stream/{name}", shown["StreamARN"]), shown["StreamARN"])
    refused(s, "once more", "ResourceInUseException", "create_stream", StreamName=name, ShardCount=1)
    put = kinesis(s, "put_record", StreamName=name, Data=b"one", PartitionKey="p")
    s.same("its shard", put["ShardId"], "shardId-000000000000")
    more = kinesis(s, "put_records", StreamName=name, Records=[{"Data": b"two", "PartitionKey": "p"}, {"Data": b"three", "PartitionKey": "q"}])
    s.same("none failed", more["FailedRecordCount"], 0)
    first = kinesis(s, "get_shard_iterator", StreamName=name, ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    page = kinesis(s, "get_records", ShardIterator=first, Limit=2)
    s.same("the first two", [record["Data"] for record in page["Records"]], [b"one", b"two"])
    rest = kinesis(s, "get_records", ShardIterator=page["NextShardIterator"])
    s.same("the rest", [record["Data"] for record in rest["Records"]], [b"three"])
    after = kinesis(s, "get_shard_iterator", StreamName=name, ShardId=put["ShardId"], ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=put["SequenceNumber"])["ShardIterator"]
    s.same("behind a number", len(kinesis(s, "get_records", ShardIterator=after)["Records"]), 2)
    refused(s, "a stream that is none", "ResourceNotFoundException", "put_record", StreamName=name + "x", Data=b"x", PartitionKey="p")
    refused(s, "a shard that is none", "ResourceNotFoundException", "get_shard_iterator", StreamName=name, ShardId="shardId-000000000009", ShardIteratorType="LATEST")
