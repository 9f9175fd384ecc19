"""SQS: queues and their attributes, messages and what becomes of them, order, dead letters."""

import json
import re
import uuid

from botocore.exceptions import ClientError

from checks import pick, scene

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


def sqs(s, operation, /, **parameters):
    return s.call("sqs", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "sqs", operation, message=message, **parameters)


def queue(s, ending="", /, **attributes):
    """A queue that goes when the scene ends."""
    name = f"conformance-{uuid.uuid4().hex[:8]}{ending}"
    url = sqs(s, "create_queue", QueueName=name, Attributes=attributes)["QueueUrl"]
    s.after.callback(remove, s, url)
    return name, url


def remove(s, url):
    try:
        s.client("sqs").delete_queue(QueueUrl=url)
    except ClientError:
        pass


def arn(s, url):
    return sqs(s, "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(s, url, **parameters):
    return sqs(s, "receive_message", QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"], **parameters).get("Messages", [])


def bodies(messages):
    return [message["Body"] for message in messages]


@scene()
def queues(s):
    name, url = queue(s, VisibilityTimeout="40", DelaySeconds="0")
    s.holds("the URL ends with account and name", re.search(rf"/\d{{12}}/{name}$", url), url)
    s.same("by its name", sqs(s, "get_queue_url", QueueName=name)["QueueUrl"], url)
    s.same("the same again", sqs(s, "create_queue", QueueName=name, Attributes={"VisibilityTimeout": "40"})["QueueUrl"], url)
    refused(s, "with another attribute", "QueueAlreadyExists", "create_queue", re.compile("VisibilityTimeout"), QueueName=name, Attributes={"VisibilityTimeout": "41"})
    shown = sqs(s, "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    wanted = {"VisibilityTimeout": "40", "DelaySeconds": "0", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "ApproximateNumberOfMessages": "0"}
    s.same("attributes", pick(shown, *wanted), wanted)
    s.same("the largest message", shown["MaximumMessageSize"], "1048576")
    s.holds("the ARN", re.fullmatch(rf"arn:aws:sqs:us-east-1:\d{{12}}:{name}", shown["QueueArn"]), shown["QueueArn"])
    sqs(s, "set_queue_attributes", QueueUrl=url, Attributes={"VisibilityTimeout": "20"})
    s.same("set", sqs(s, "get_queue_attributes", QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"], {"VisibilityTimeout": "20"})
    refused(s, "an attribute that is none", "InvalidAttributeName", "get_queue_attributes", QueueUrl=url, AttributeNames=["Colour"])
    refused(s, "a value that is none", "InvalidAttributeValue", "set_queue_attributes", QueueUrl=url, Attributes={"VisibilityTimeout": "x"})
    sqs(s, "tag_queue", QueueUrl=url, Tags={"a": "1", "b": "2"})
    sqs(s, "untag_queue", QueueUrl=url, TagKeys=["a"])
    s.same("tags", sqs(s, "list_queue_tags", QueueUrl=url)["Tags"], {"b": "2"})
    s.same("listed", sqs(s, "list_queues", QueueNamePrefix=name)["QueueUrls"], [url])
    sqs(s, "delete_queue", QueueUrl=url)
    refused(s, "gone", NO_QUEUE, "get_queue_url", re.compile("The specified queue does not exist"), QueueName=name)
    refused(s, "a name that is none", "InvalidParameterValue", "create_queue", QueueName="a b")


@scene()
def messages(s):
    _, url = queue(s, VisibilityTimeout="30")
    attributes = {"kind": {"DataType": "String", "StringValue": "order"}, "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
    sent = sqs(s, "send_message", QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    s.same("its checksum", sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592")
    (got,) = receive(s, url)
    s.same("what is received", pick(got, "Body", "MD5OfBody", "MessageId", "MessageAttributes"), {"Body": "hello", "MD5OfBody": sent["MD5OfMessageBody"], "MessageId": sent["MessageId"], "MessageAttributes": attributes})
    s.same("checksum of attributes", got["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
    s.same("how often", got["Attributes"]["ApproximateReceiveCount"], "1")
    s.same("nobody else gets it", receive(s, url), [])
    sqs(s, "change_message_visibility", QueueUrl=url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = receive(s, url)
    s.same("once more", again["Attributes"]["ApproximateReceiveCount"], "2")
    sqs(s, "delete_message", QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    s.same("deleted", sqs(s, "get_queue_attributes", QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])["Attributes"], {"ApproximateNumberOfMessagesNotVisible": "0"})
    refused(s, "a handle that is none", "ReceiptHandleIsInvalid", "delete_message", QueueUrl=url, ReceiptHandle="x")
    refused(s, "an empty body", "MissingParameter", "send_message", re.compile("The request must contain the parameter MessageBody"), QueueUrl=url, MessageBody="")
    refused(s, "too many at once", "InvalidParameterValue", "receive_message", QueueUrl=url, MaxNumberOfMessages=11)


@scene()
def batches(s):
    _, url = queue(s)
    entries = [{"Id": str(number), "MessageBody": f"m{number}"} for number in range(3)]
    sent = sqs(s, "send_message_batch", QueueUrl=url, Entries=entries)
    s.same("all are taken", [one["Id"] for one in sent["Successful"]], ["0", "1", "2"])
    got = receive(s, url, MaxNumberOfMessages=10)
    s.same("all are received", sorted(bodies(got)), ["m0", "m1", "m2"])
    gone = sqs(s, "delete_message_batch", QueueUrl=url, Entries=[{"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]} for place, one in enumerate(got)])
    s.same("all are deleted", len(gone["Successful"]), 3)
    refused(s, "none", "AWS.SimpleQueueService.EmptyBatchRequest", "send_message_batch", QueueUrl=url, Entries=[])
    refused(s, "one twice", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "send_message_batch", QueueUrl=url, Entries=entries + entries[:1])
    refused(s, "eleven", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "send_message_batch", QueueUrl=url, Entries=[{"Id": str(number), "MessageBody": "m"} for number in range(11)])


@scene()
def order(s):
    _, url = queue(s, ".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for group, body in (("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a2")):
        sqs(s, "send_message", QueueUrl=url, MessageBody=body, MessageGroupId=group)
    (first,) = receive(s, url)
    s.same("the first of a group", first["Body"], "a1")
    s.same("the others of other groups", bodies(receive(s, url, MaxNumberOfMessages=10)), ["b1"])
    sqs(s, "delete_message", QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    s.same("the next of its group", bodies(receive(s, url, MaxNumberOfMessages=10)), ["a2"])
    refused(s, "without a group", "MissingParameter", "send_message", re.compile("MessageGroupId"), QueueUrl=url, MessageBody="x")


@scene()
def dead_letters(s):
    _, dead = queue(s)
    policy = json.dumps({"deadLetterTargetArn": arn(s, dead), "maxReceiveCount": 1})
    _, url = queue(s, VisibilityTimeout="0", RedrivePolicy=policy)
    sqs(s, "send_message", QueueUrl=url, MessageBody="stays")
    s.same("received", bodies(receive(s, url)), ["stays"])
    s.same("too often", receive(s, url), [])
    (got,) = receive(s, dead)
    s.same("dead", got["Body"], "stays")
    s.same("where it comes from", got["Attributes"]["DeadLetterQueueSourceArn"], arn(s, url))
    s.same("whose dead letters", sqs(s, "list_dead_letter_source_queues", QueueUrl=dead)["queueUrls"], [url])
    refused(s, "a target that is none", "InvalidParameterValue", "set_queue_attributes", QueueUrl=url, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn(s, dead) + "x", "maxReceiveCount": 1})})
