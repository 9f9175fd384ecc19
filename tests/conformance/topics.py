"""SNS: topics, subscriptions, and what reaches a queue of what is published."""

import json
import re
import uuid

from botocore.exceptions import ClientError

from checks import pick, scene
from queues import arn, queue, receive


def sns(s, operation, /, **parameters):
    return s.call("sns", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "sns", operation, message=message, **parameters)


def topic(s, ending="", /, **attributes):
    """A topic that goes when the scene ends."""
    made = sns(s, "create_topic", Name=f"conformance-{uuid.uuid4().hex[:8]}{ending}", Attributes=attributes)["TopicArn"]
    s.after.callback(remove, s, made)
    return made


def remove(s, made):
    try:
        s.client("sns").delete_topic(TopicArn=made)
    except ClientError:
        pass


def reached(s, made, **attributes):
    """A queue that the topic may send to, and that is subscribed to it."""
    _, url = queue(s)
    own = arn(s, url)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": own, "Condition": {"ArnEquals": {"aws:SourceArn": made}}}]}
    s.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return url, sns(s, "subscribe", TopicArn=made, Protocol="sqs", Endpoint=own, Attributes=attributes)["SubscriptionArn"]


@scene()
def topics(s):
    made = topic(s, DisplayName="d")
    name = made.rsplit(":", 1)[1]
    s.same("the same again", sns(s, "create_topic", Name=name, Attributes={"DisplayName": "d"})["TopicArn"], made)
    shown = sns(s, "get_topic_attributes", TopicArn=made)["Attributes"]
    s.same("attributes", pick(shown, "DisplayName", "TopicArn", "SubscriptionsConfirmed"), {"DisplayName": "d", "TopicArn": made, "SubscriptionsConfirmed": "0"})
    sns(s, "tag_resource", ResourceArn=made, Tags=[{"Key": "a", "Value": "1"}])
    s.same("tags", sns(s, "list_tags_for_resource", ResourceArn=made)["Tags"], [{"Key": "a", "Value": "1"}])
    s.holds("listed", {"TopicArn": made} in sns(s, "list_topics")["Topics"], made)
    sns(s, "delete_topic", TopicArn=made)
    refused(s, "gone", "NotFound", "get_topic_attributes", re.compile("Topic does not exist"), TopicArn=made)
    refused(s, "a message to nobody", "NotFound", "publish", TopicArn=made, Message="m")
    refused(s, "a name that is none", "InvalidParameter", "create_topic", re.compile("Topic Name"), Name="a b")


@scene()
def deliveries(s):
    made = topic(s)
    all_of_it, subscription = reached(s, made)
    raw, _ = reached(s, made, RawMessageDelivery="true")
    some, _ = reached(s, made, FilterPolicy=json.dumps({"kind": ["order"]}))
    for kind in ("order", "note"):
        sns(s, "publish", TopicArn=made, Message=f"a {kind}", Subject="s", MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}})
    envelopes = [json.loads(message["Body"]) for message in receive(s, all_of_it, MaxNumberOfMessages=10, WaitTimeSeconds=1)]
    s.same("all of it", sorted(one["Message"] for one in envelopes), ["a note", "a order"])
    s.same("its envelope", pick(envelopes[0], "Type", "TopicArn", "Subject"), {"Type": "Notification", "TopicArn": made, "Subject": "s"})
    s.same("as it is", sorted(message["Body"] for message in receive(s, raw, MaxNumberOfMessages=10, WaitTimeSeconds=1)), ["a note", "a order"])
    s.same("what is wanted", [json.loads(message["Body"])["Message"] for message in receive(s, some, MaxNumberOfMessages=10, WaitTimeSeconds=1)], ["a order"])
    s.same("subscribed", len(sns(s, "list_subscriptions_by_topic", TopicArn=made)["Subscriptions"]), 3)
    s.same("confirmed", sns(s, "get_subscription_attributes", SubscriptionArn=subscription)["Attributes"]["PendingConfirmation"], "false")
    sns(s, "unsubscribe", SubscriptionArn=subscription)
    refused(s, "ended", "NotFound", "get_subscription_attributes", SubscriptionArn=subscription)
