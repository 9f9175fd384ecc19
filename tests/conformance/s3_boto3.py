"""boto3 against the embedded S3: buckets, objects, tags, pages, parts, checksums, refusals, both ways of addressing.

Needs AWS_ENDPOINT_URL, a region and any credentials in the environment, as `playbook serve` prints them.
"""

import base64
import hashlib
import io
import os
import time
import urllib.error
import urllib.request
import zlib

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

RETRIES = {"max_attempts": 1}
s3 = boto3.client("s3", config=Config(retries=RETRIES, connect_timeout=5, read_timeout=60))
NAME = "boto3-demo"
# What a path, a form and XML each would like to change.
KEY = "folder/ä b+c%&<>'\"?#=;é/日本"
TAG = {"Key": "playbook:run", "Value": "k3f9"}


def refused(code, call, **parameters):
    try:
        answer = call(**parameters)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{found} instead of {code}: {error}"
        assert error.response["ResponseMetadata"]["RequestId"], "a refusal names the request"
        return error.response
    raise AssertionError(f"{call.__name__} is not refused with {code}: {answer}")


def buckets():
    refused("404", s3.head_bucket, Bucket=NAME)
    refused("NoSuchBucket", s3.list_objects_v2, Bucket=NAME)
    refused("NoSuchBucket", s3.put_object, Bucket=NAME, Key="a", Body=b"")
    refused("InvalidBucketName", s3.create_bucket, Bucket="a..b")
    refused("IllegalLocationConstraintException", s3.create_bucket, Bucket=NAME,
            CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"Tags": [TAG]})
    # This region alone answers so.
    s3.create_bucket(Bucket=NAME)
    # The tags that it was made with show up a little later.
    for _ in range(100):
        try:
            found = s3.get_bucket_tagging(Bucket=NAME)["TagSet"]
            break
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchTagSet", error
            time.sleep(0.05)
    assert found == [TAG]
    assert s3.head_bucket(Bucket=NAME)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=NAME)["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket=NAME)
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [NAME]
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket=NAME)["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.delete_bucket_tagging(Bucket=NAME)
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=NAME)
    refused("AccessDenied", s3.get_bucket_tagging, Bucket=NAME, ExpectedBucketOwner="111122223333")


def objects():
    body = "naïve\n".encode()
    put = s3.put_object(Bucket=NAME, Key=KEY, Body=body, ContentType="text/plain; charset=utf-8", CacheControl="no-cache",
                        Metadata={"playbook-run": "k3f9"}, Tagging="a=b&c=d%20e")
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"', put
    head = s3.head_object(Bucket=NAME, Key=KEY)
    assert head["ContentLength"] == len(body) and head["ContentType"] == "text/plain; charset=utf-8", head
    assert head["Metadata"] == {"playbook-run": "k3f9"} and head["CacheControl"] == "no-cache", head
    assert head["ETag"] == put["ETag"] and head["LastModified"].year > 2020, head
    got = s3.get_object(Bucket=NAME, Key=KEY)
    assert got["Body"].read() == body and got["TagCount"] == 2, got
    part = s3.get_object(Bucket=NAME, Key=KEY, Range="bytes=-2")
    assert part["Body"].read() == b"e\n" and part["ContentRange"] == f"bytes 5-6/{len(body)}", part
    refused("InvalidRange", s3.get_object, Bucket=NAME, Key=KEY, Range="bytes=7-")
    assert refused("304", s3.get_object, Bucket=NAME, Key=KEY, IfNoneMatch=put["ETag"])
    refused("PreconditionFailed", s3.get_object, Bucket=NAME, Key=KEY, IfMatch='"0"')
    missing = refused("404", s3.head_object, Bucket=NAME, Key="missing")
    assert missing["Error"]["Message"] == "Not Found", "there is no body"
    assert refused("NoSuchKey", s3.get_object, Bucket=NAME, Key="missing")["Error"]["Key"] == "missing"
    refused("PreconditionFailed", s3.put_object, Bucket=NAME, Key=KEY, Body=b"", IfNoneMatch="*")
    refused("PreconditionFailed", s3.put_object, Bucket=NAME, Key=KEY, Body=b"", IfMatch='"0"')
    refused("NoSuchKey", s3.put_object, Bucket=NAME, Key="missing", Body=b"", IfMatch='"0"')
    assert s3.get_object(Bucket=NAME, Key=KEY)["Body"].read() == body, "what was refused has changed nothing"
    s3.put_object(Bucket=NAME, Key=KEY, Body=b"other", IfMatch=put["ETag"])
    # An object that is written again keeps nothing of what was there.
    assert s3.head_object(Bucket=NAME, Key=KEY)["Metadata"] == {}
    for key in ("a//b", "/", "folder/"):
        s3.put_object(Bucket=NAME, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=NAME, Key=key)["Body"].read() == key.encode(), key
        s3.delete_object(Bucket=NAME, Key=key)
    refused("KeyTooLongError", s3.put_object, Bucket=NAME, Key="k" * 1025, Body=b"")


def tags():
    s3.put_object_tagging(Bucket=NAME, Key=KEY, Tagging={"TagSet": [TAG]})
    assert s3.get_object_tagging(Bucket=NAME, Key=KEY)["TagSet"] == [TAG]
    refused("InvalidTag", s3.put_object_tagging, Bucket=NAME, Key=KEY, Tagging={"TagSet": [TAG, TAG]})
    refused("BadRequest", s3.put_object_tagging, Bucket=NAME, Key=KEY,
            Tagging={"TagSet": [{"Key": str(number), "Value": ""} for number in range(11)]})
    s3.delete_object_tagging(Bucket=NAME, Key=KEY)
    assert s3.get_object_tagging(Bucket=NAME, Key=KEY)["TagSet"] == []


def checksums():
    body = b"123456789"
    known = {
        "CRC32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
        "SHA1": base64.b64encode(hashlib.sha1(body).digest()).decode(),
        "SHA256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        # The check values of the catalogue of CRCs.
        "CRC32C": base64.b64encode(bytes.fromhex("e3069283")).decode(),
        "CRC64NVME": base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode(),
    }
    for name, value in known.items():
        field = f"Checksum{name}"
        s3.put_object(Bucket=NAME, Key="sum", Body=body, **{field: value})
        head = s3.head_object(Bucket=NAME, Key="sum", ChecksumMode="ENABLED")
        assert head[field] == value and head["ChecksumType"] == "FULL_OBJECT", head
        assert s3.get_object(Bucket=NAME, Key="sum", ChecksumMode="ENABLED")["Body"].read() == body
        wrong = base64.b64encode(bytes(len(base64.b64decode(value)))).decode()
        refused("BadDigest", s3.put_object, Bucket=NAME, Key="sum", Body=body, **{field: wrong})
        refused("InvalidRequest", s3.put_object, Bucket=NAME, Key="sum", Body=body, **{field: "AAA="})
    refused("BadDigest", s3.put_object, Bucket=NAME, Key="sum", Body=body,
            ContentMD5=base64.b64encode(bytes(16)).decode())
    refused("InvalidDigest", s3.put_object, Bucket=NAME, Key="sum", Body=body, ContentMD5="AAAA")
    s3.delete_object(Bucket=NAME, Key="sum")


def raw(headers, body):
    request = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/{NAME}/chunked", body, headers, method="PUT")
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20261123/us-east-1/s3/aws4_request, Signature=0")
    request.add_header("Content-Encoding", "gzip,aws-chunked")
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.read().decode()


def chunks():
    """What clients send over TLS, where the body is not signed; boto3 sends no chunks without."""
    crc = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4, "big"))
    trailing = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "11",
                "x-amz-trailer": "x-amz-checksum-crc32"}
    parts = b"6\r\nhello \r\n5\r\nworld\r\n0\r\n"
    assert raw(trailing, parts + b"x-amz-checksum-crc32:" + crc + b"\r\n\r\n") == 200
    got = s3.get_object(Bucket=NAME, Key="chunked")
    assert got["Body"].read() == b"hello world" and got["ContentEncoding"] == "gzip", got
    signed = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length": "11"}
    parts = b"b;chunk-signature=00\r\nhello world\r\n0;chunk-signature=00\r\n\r\n"
    assert raw(signed, parts) == 200
    assert "<Code>BadDigest</Code>" in raw(trailing, b"b\r\nhello w0rld\r\n0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n")
    assert "<Code>MalformedTrailerError</Code>" in raw(trailing, b"b\r\nhello world\r\n0\r\n\r\n")
    assert "<Code>IncompleteBody</Code>" in raw(signed, b"b\r\nhello")
    assert "<Code>IncompleteBody</Code>" in raw(signed, b"5\r\nhello\r\n0\r\n\r\n")
    s3.delete_object(Bucket=NAME, Key="chunked")


def listing():
    s3.delete_object(Bucket=NAME, Key=KEY)
    keys = ["a b", "dir/1", "dir/2", "dir/sub/3", "z+&é"]
    for key in keys:
        s3.put_object(Bucket=NAME, Key=key, Body=b"x")
    found = s3.list_objects_v2(Bucket=NAME)
    assert [item["Key"] for item in found["Contents"]] == keys and found["KeyCount"] == 5, found
    assert found["Contents"][0]["Size"] == 1 and found["Contents"][0]["StorageClass"] == "STANDARD", found
    found = s3.list_objects_v2(Bucket=NAME, Delimiter="/")
    assert [item["Key"] for item in found["Contents"]] == ["a b", "z+&é"], found
    assert [item["Prefix"] for item in found["CommonPrefixes"]] == ["dir/"], found
    found = s3.list_objects_v2(Bucket=NAME, Prefix="dir/", Delimiter="/", StartAfter="dir/1")
    assert [item["Key"] for item in found["Contents"]] == ["dir/2"], found
    assert [item["Prefix"] for item in found["CommonPrefixes"]] == ["dir/sub/"], found
    for operation in ("list_objects_v2", "list_objects"):
        pages = list(s3.get_paginator(operation).paginate(Bucket=NAME, PaginationConfig={"PageSize": 2}))
        assert [len(page["Contents"]) for page in pages] == [2, 2, 1], pages
        assert [item["Key"] for page in pages for item in page["Contents"]] == keys, pages
        pages = list(s3.get_paginator(operation).paginate(Bucket=NAME, Delimiter="/", PaginationConfig={"PageSize": 1}))
        lines = [item.get("Key", item.get("Prefix")) for page in pages
                 for item in page.get("Contents", []) + page.get("CommonPrefixes", [])]
        assert lines == ["a b", "dir/", "z+&é"], pages
    assert s3.list_objects_v2(Bucket=NAME, MaxKeys=0)["IsTruncated"] is False
    refused("InvalidArgument", s3.list_objects_v2, Bucket=NAME, ContinuationToken="?")
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=NAME)
    answer = s3.delete_objects(Bucket=NAME, Delete={"Objects": [{"Key": key} for key in [*keys, "missing"]]})
    assert [item["Key"] for item in answer["Deleted"]] == [*keys, "missing"], answer
    assert s3.list_objects_v2(Bucket=NAME)["KeyCount"] == 0


def copies():
    s3.put_object(Bucket=NAME, Key="ä b", Body=b"x", ContentType="text/plain", Metadata={"a": "b"}, Tagging="c=d")
    s3.copy_object(Bucket=NAME, Key="copy", CopySource={"Bucket": NAME, "Key": "ä b"})
    assert s3.head_object(Bucket=NAME, Key="copy")["Metadata"] == {"a": "b"}
    assert s3.get_object_tagging(Bucket=NAME, Key="copy")["TagSet"] == [{"Key": "c", "Value": "d"}]
    s3.copy_object(Bucket=NAME, Key="copy", CopySource=f"{NAME}/copy", MetadataDirective="REPLACE", Metadata={"e": "f"})
    assert s3.head_object(Bucket=NAME, Key="copy")["Metadata"] == {"e": "f"}
    refused("InvalidRequest", s3.copy_object, Bucket=NAME, Key="copy", CopySource=f"{NAME}/copy")
    refused("NoSuchKey", s3.copy_object, Bucket=NAME, Key="copy", CopySource=f"{NAME}/missing")
    s3.delete_objects(Bucket=NAME, Delete={"Objects": [{"Key": "ä b"}, {"Key": "copy"}], "Quiet": True})


def parts():
    least = 5 * 1024 * 1024
    bodies = [b"a" * least, b"b" * 10]
    upload = s3.create_multipart_upload(Bucket=NAME, Key="large", ContentType="text/plain")["UploadId"]
    numbered = []
    for number, body in enumerate(bodies, 1):
        part = s3.upload_part(Bucket=NAME, Key="large", UploadId=upload, PartNumber=number, Body=body)
        numbered.append({"PartNumber": number, "ETag": part["ETag"]})
    assert len(s3.list_parts(Bucket=NAME, Key="large", UploadId=upload)["Parts"]) == 2
    assert [item["Key"] for item in s3.list_multipart_uploads(Bucket=NAME)["Uploads"]] == ["large"]
    complete = lambda listed: s3.complete_multipart_upload(  # noqa: E731
        Bucket=NAME, Key="large", UploadId=upload, MultipartUpload={"Parts": listed})
    refused("InvalidPartOrder", complete, listed=numbered[::-1])
    refused("InvalidPart", complete, listed=[{"PartNumber": 3, "ETag": '"0"'}])
    done = complete(numbered)
    digest = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies)).hexdigest()
    assert done["ETag"] == f'"{digest}-2"', done
    got = s3.get_object(Bucket=NAME, Key="large")
    assert got["Body"].read() == b"".join(bodies) and got["ContentType"] == "text/plain"
    refused("NoSuchUpload", complete, listed=numbered)
    upload = s3.create_multipart_upload(Bucket=NAME, Key="large")["UploadId"]
    s3.abort_multipart_upload(Bucket=NAME, Key="large", UploadId=upload)
    refused("NoSuchUpload", s3.list_parts, Bucket=NAME, Key="large", UploadId=upload)
    # The manager of transfers takes larger bodies apart by itself.
    body = os.urandom(9 * 1024 * 1024)
    s3.upload_fileobj(io.BytesIO(body), NAME, "large")
    assert s3.get_object(Bucket=NAME, Key="large")["Body"].read() == body
    s3.delete_object(Bucket=NAME, Key="large")


def addressing():
    """The bucket in the name of the host, as AWS has it."""
    endpoint = os.environ["AWS_ENDPOINT_URL"].replace("127.0.0.1", "localhost")
    virtual = boto3.client("s3", endpoint_url=endpoint, config=Config(retries=RETRIES, s3={"addressing_style": "virtual"}))
    resolved = []
    virtual.meta.events.register("before-send.s3", lambda request, **_: resolved.append(request.url))
    virtual.meta.events.register("before-send.s3", to_loopback)
    virtual.put_object(Bucket=NAME, Key="v/1", Body=b"virtual")
    assert resolved[0].startswith(f"http://{NAME}.localhost:"), resolved
    assert s3.get_object(Bucket=NAME, Key="v/1")["Body"].read() == b"virtual"
    assert virtual.list_objects_v2(Bucket=NAME)["KeyCount"] == 1
    virtual.delete_object(Bucket=NAME, Key="v/1")


def to_loopback(request, **_):
    """Not every resolver knows names under `localhost`: the address is given, the name stays in the header."""
    host = request.url.split("/")[2]
    request.headers["Host"] = host
    request.url = request.url.replace(host, host.replace(f"{NAME}.localhost", "127.0.0.1"), 1)


def presigned():
    s3.put_object(Bucket=NAME, Key="ä", Body=b"signed before")
    signer = boto3.client("s3", config=Config(signature_version="s3v4"))
    url = signer.generate_presigned_url("get_object", Params={"Bucket": NAME, "Key": "ä"})
    assert urllib.request.urlopen(url).read() == b"signed before"
    s3.delete_object(Bucket=NAME, Key="ä")


buckets()
objects()
tags()
checksums()
chunks()
listing()
copies()
parts()
addressing()
presigned()
refused("NotImplemented", s3.put_bucket_versioning, Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
s3.delete_bucket(Bucket=NAME)
refused("404", s3.head_bucket, Bucket=NAME)
refused("NoSuchBucket", s3.delete_bucket, Bucket=NAME)
print("S3 answers as boto3 expects")
