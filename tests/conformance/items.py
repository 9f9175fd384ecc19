"""put-item, batch-write-items, get-item, scan, query, delete-item, and what else reads and writes items."""

import decimal

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from checks import pick, scene
from tables import dynamodb, refused, resource, table

ITEM = {
    "id": "a@x",
    "n": decimal.Decimal("12345678901234567890.123456789"),
    "s": {"x", "y"},
    "ns": {decimal.Decimal(1), decimal.Decimal("2.5")},
    "l": [1, "a", None, True, {"deep": ["z"]}],
    "m": {},
    "e": "",
}
BY_STATE = {
    "IndexName": "by-state",
    "KeySchema": [{"AttributeName": "st", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "ALL"},
}


def puts(*ids):
    return [{"PutRequest": {"Item": {"id": {"S": each}, "name": {"S": each[:2]}}}} for each in ids]


def filled(s, count):
    """A table with items u0, u1, …"""
    name = table(s)
    with resource(s, name).batch_writer() as batch:
        for number in range(count):
            batch.put_item(Item={"id": f"u{number}@x", "name": f"u{number}"})
    return name


def orders(s):
    """A table of two keys and an index, with ten items each of a and b."""
    definitions = [{"AttributeName": name, "AttributeType": kind} for name, kind in (("u", "S"), ("n", "N"), ("st", "S"))]
    name = table(s, "u", "n", AttributeDefinitions=definitions, GlobalSecondaryIndexes=[BY_STATE])
    with resource(s, name).batch_writer() as batch:
        for user in "ab":
            for number in range(10):
                batch.put_item(Item={"u": user, "n": number, "st": "even" if number % 2 == 0 else "odd"})
    return name


@scene()
def every_type_and_back(s):
    name = table(s)
    it = resource(s, name)
    s.same("nothing comes of a first put", pick(it.put_item(Item=ITEM, ReturnValues="ALL_OLD"), "Attributes"), {})
    found = it.get_item(Key={"id": "a@x"})["Item"]
    for attribute, wanted in ITEM.items():
        s.holds(attribute, found.get(attribute) == wanted, found.get(attribute))
    raw = dynamodb(s, "put_item", TableName=name, Item={"id": {"S": "b"}, "b": {"B": b"\x00\xff"}, "bs": {"BS": [b"z"]}})
    s.same("nothing to say", pick(raw, "Attributes", "ConsumedCapacity"), {})
    back = dynamodb(s, "get_item", TableName=name, Key={"id": {"S": "b"}})["Item"]
    s.same("bytes", [back["b"]["B"].hex(), back["bs"]["BS"][0].hex()], ["00ff", "7a"])


@scene()
def putting_and_getting(s):
    name = table(s)
    put = {"TableName": name, "Item": {"id": {"S": "a"}, "v": {"N": "1"}}}
    dynamodb(s, "put_item", **put)
    once = {**put, "ConditionExpression": "attribute_not_exists(id)"}
    refused(s, "a condition", "ConditionalCheckFailedException", "put_item", "The conditional request failed", **once)
    old = dynamodb(s, "put_item", ReturnValues="ALL_OLD", **put)
    s.same("what was there", old.get("Attributes"), {"id": {"S": "a"}, "v": {"N": "1"}})
    key = {"TableName": name, "Key": {"id": {"S": "a"}}}
    s.same("only some attributes", dynamodb(s, "get_item", ProjectionExpression="v", **key)["Item"], {"v": {"N": "1"}})
    s.same("consistently", dynamodb(s, "get_item", ConsistentRead=True, **key)["Item"]["v"], {"N": "1"})
    absent = dynamodb(s, "get_item", TableName=name, Key={"id": {"S": "none"}})
    s.same("nothing there", "Item" in absent, False)
    message = "One or more parameter values were invalid: Missing the key id in the item"
    refused(s, "no key", "ValidationException", "put_item", message, TableName=name, Item={"x": {"S": "1"}})
    message = "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N"
    refused(s, "a key of another type", "ValidationException", "put_item", message, TableName=name, Item={"id": {"N": "1"}})
    message = "The provided key element does not match the schema"
    refused(s, "another key", "ValidationException", "get_item", message, TableName=name, Key={"x": {"S": "1"}})
    refused(s, "an empty key", "ValidationException", "put_item", TableName=name, Item={"id": {"S": ""}})
    refused(s, "a number that is none", "ValidationException", "put_item", TableName=name, Item={"id": {"S": "x"}, "v": {"N": "1x"}})
    refused(s, "an empty set", "ValidationException", "put_item", TableName=name, Item={"id": {"S": "x"}, "v": {"SS": []}})
    large = {"id": {"S": "x"}, "v": {"S": "x" * (400 * 1024)}}
    refused(s, "more than 400 KB", "ValidationException", "put_item", "Item size has exceeded the maximum allowed size", TableName=name, Item=large)


@scene()
def updating(s):
    it = resource(s, table(s))
    it.put_item(Item=ITEM)
    after = it.update_item(
        Key={"id": "a@x"},
        UpdateExpression="SET LastLogin = :l, n = n + :one REMOVE e ADD s :z",
        ExpressionAttributeValues={":l": {"UserPoolId": "p"}, ":one": 1, ":z": {"z"}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    s.same("set", after["LastLogin"], {"UserPoolId": "p"})
    s.same("counted", str(after["n"]), "12345678901234567891.123456789")
    s.same("removed", "e" in after, False)
    s.same("added", sorted(after["s"]), ["x", "y", "z"])
    message = "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name"
    refused(
        s,
        "a reserved word",
        "ValidationException",
        "update_item",
        message,
        TableName=it.name,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET name = :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
    )


@scene()
def in_batches(s):
    name = table(s)
    ids = [f"u{number}@x" for number in range(26)]
    refused(s, "twenty-six", "ValidationException", "batch_write_item", RequestItems={table(s): puts(*ids)})
    s.same("twenty-five", dynamodb(s, "batch_write_item", RequestItems={name: puts(*ids[:25])})["UnprocessedItems"], {})
    message = "Provided list of item keys contains duplicates"
    refused(s, "one twice", "ValidationException", "batch_write_item", message, RequestItems={name: puts("a", "a")})
    keys = [{"id": {"S": each}} for each in ("u1@x", "u2@x", "u99@x")]
    found = dynamodb(s, "batch_get_item", RequestItems={name: {"Keys": keys}})
    s.same("those that are there", sorted(item["id"]["S"] for item in found["Responses"][name]), ["u1@x", "u2@x"])
    s.same("nothing is left", found["UnprocessedKeys"], {})
    gone = [{"DeleteRequest": {"Key": key}} for key in keys]
    dynamodb(s, "batch_write_item", RequestItems={name: gone})
    s.same("some are removed", dynamodb(s, "scan", TableName=name, Select="COUNT")["Count"], 23)


@scene()
def scanning(s):
    name = filled(s, 61)
    pages = list(s.client("dynamodb").get_paginator("scan").paginate(TableName=name, PaginationConfig={"PageSize": 7}))
    s.same("page by page", [sum(len(page["Items"]) for page in pages), len(pages)], [61, 9])
    s.same("each once", len({item["id"]["S"] for page in pages for item in page["Items"]}), 61)
    it = resource(s, name)
    found = it.scan(FilterExpression=Attr("name").eq("u7"))
    s.same("filtered", pick(found, "Count", "ScannedCount"), {"Count": 1, "ScannedCount": 61})
    found = it.scan(FilterExpression=Attr("name").begins_with("u1") & Attr("id").contains("5"), Select="COUNT")
    s.same("counted", pick(found, "Count", "Items"), {"Count": 1})
    refused(s, "an expression that is none", "ValidationException", "scan", TableName=name, FilterExpression="a ==== b")
    unknown = {"FilterExpression": "id = :x", "ExpressionAttributeValues": {":y": {"S": "1"}}}
    refused(s, "a value that is not given", "ValidationException", "scan", TableName=name, **unknown)


@scene()
def querying(s):
    it = resource(s, orders(s))
    found = it.query(KeyConditionExpression=Key("u").eq("a") & Key("n").between(3, 7), ScanIndexForward=False)
    s.same("backwards, between", [int(item["n"]) for item in found["Items"]], [7, 6, 5, 4, 3])
    found = it.query(KeyConditionExpression=Key("u").eq("a"), FilterExpression=Attr("st").eq("odd"), Limit=4)
    s.same("a limit before the filter", pick(found, "Count", "ScannedCount"), {"Count": 2, "ScannedCount": 4})
    found = it.query(IndexName="by-state", KeyConditionExpression=Key("st").eq("odd") & Key("n").gte(5))
    s.same("an index", found["Count"], 6)
    seen, position = [], {}
    for _ in range(20):
        page = it.query(IndexName="by-state", KeyConditionExpression=Key("st").eq("odd"), Limit=4, **position)
        seen += [(item["u"], int(item["n"])) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        position = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    s.same("an index, page by page", [len(seen), len(set(seen))], [10, 10])
    s.same("in order", [number for _, number in seen], sorted(number for _, number in seen))
    for name, expression in (("no hash key", "n = :v"), ("another attribute", "u = :v AND st = :v")):
        parameters = {"KeyConditionExpression": expression, "ExpressionAttributeValues": {":v": {"S": "a"}}}
        refused(s, name, "ValidationException", "query", TableName=it.name, **parameters)


@scene()
def all_or_nothing(s):
    users, others = table(s), orders(s)
    write = {"Put": {"TableName": users, "Item": {"id": {"S": "tx"}}}}
    check = {"TableName": others, "Key": {"u": {"S": "a"}, "n": {"N": "77"}}, "ConditionExpression": "attribute_exists(u)"}
    error = refused(
        s, "cancelled", "TransactionCanceledException", "transact_write_items", TransactItems=[write, {"ConditionCheck": check}]
    )
    s.same("why", [reason["Code"] for reason in error.get("CancellationReasons", [])], ["None", "ConditionalCheckFailed"])
    s.same("nothing is written", "Item" in dynamodb(s, "get_item", TableName=users, Key={"id": {"S": "tx"}}), False)
    update = {
        "TableName": others,
        "Key": {"u": {"S": "a"}, "n": {"N": "1"}},
        "UpdateExpression": "SET #s = :s",
        "ExpressionAttributeNames": {"#s": "st"},
        "ExpressionAttributeValues": {":s": {"S": "done"}},
    }
    removal = {"TableName": others, "Key": {"u": {"S": "a"}, "n": {"N": "2"}}}
    dynamodb(s, "transact_write_items", TransactItems=[write, {"Update": update}, {"Delete": removal}])
    s.same("updated", dynamodb(s, "get_item", TableName=others, Key=update["Key"])["Item"]["st"], {"S": "done"})
    s.same("deleted", "Item" in dynamodb(s, "get_item", TableName=others, Key=removal["Key"]), False)
    one = {"Get": {"TableName": users, "Key": {"id": {"S": "tx"}}}}
    s.same("read", dynamodb(s, "transact_get_items", TransactItems=[one])["Responses"], [{"Item": {"id": {"S": "tx"}}}])


@scene()
def deleting(s):
    name = table(s)
    key = {"TableName": name, "Key": {"id": {"S": "a"}}}
    dynamodb(s, "put_item", TableName=name, Item={"id": {"S": "a"}, "v": {"N": "1"}})
    condition = {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {":v": {"N": "2"}}}
    message = "The conditional request failed"
    refused(s, "a condition", "ConditionalCheckFailedException", "delete_item", message, **key, **condition)
    gone = dynamodb(s, "delete_item", ReturnValues="ALL_OLD", **key)
    s.same("what was there", gone.get("Attributes"), {"id": {"S": "a"}, "v": {"N": "1"}})
    s.same("it is gone", "Item" in dynamodb(s, "get_item", **key), False)
    try:
        s.same("twice", pick(dynamodb(s, "delete_item", ReturnValues="ALL_OLD", **key), "Attributes"), {})
    except ClientError as error:
        s.same("twice", error.response["Error"]["Code"], {})
    refused(s, "another key", "ValidationException", "delete_item", TableName=name, Key={"x": {"S": "a"}})
