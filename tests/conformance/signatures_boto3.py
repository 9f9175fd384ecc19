"""What boto3 signs is answered where credentials are required, in every way that it signs; and nothing else is."""

import io
import json
import os
import time
import urllib.error
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
HANDLER = """import os
def handler(event, context):
    names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    return [os.environ[name] for name in names]
"""


def refused(code, call):
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"no {code}")


def status(url, **more):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **more)) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def strangers():
    other = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    wrong = {"aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "x"}
    for keys, codes in [
        (other, ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId")),
        (wrong, ("SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch")),
    ]:
        refused(codes[0], boto3.client("sts", **keys).get_caller_identity)
        refused(codes[0], boto3.client("iam", **keys).list_roles)
        refused(codes[0], boto3.client("cloudformation", **keys).list_stacks)
        refused(codes[1], boto3.client("dynamodb", **keys).list_tables)
        refused(codes[1], boto3.client("logs", **keys).describe_log_groups)
        refused(codes[1], boto3.client("lambda", **keys).list_functions)
        refused(codes[2], boto3.client("s3", **keys).list_buckets)


def objects():
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
    s3.create_bucket(Bucket="signed")
    for key in ["a b/ü+~*'()!", "//twice//", "../up/./here", "plain=&?#%25"]:
        s3.put_object(Bucket="signed", Key=key, Body=b"content", Metadata={"two": "a  b"})
        assert s3.get_object(Bucket="signed", Key=key)["Body"].read() == b"content", key
        link = s3.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": key})
        assert status(link) == (200, b"content"), (link, status(link))
        assert status(link[:-1] + ("0" if link[-1] != "0" else "1"))[0] == 403, key
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "signed", "Key": "put"})
    assert status(put, data=b"there", method="PUT")[0] == 200
    assert status(put.replace("/put?", "/other?"), data=b"there", method="PUT")[0] == 403
    chunked = boto3.client("s3", config=Config(request_checksum_calculation="when_supported"))
    chunked.upload_fileobj(io.BytesIO(b"x" * 100_000), "signed", "chunked")
    signed = boto3.client("s3", config=Config(s3={"payload_signing_enabled": True}))
    signed.put_object(Bucket="signed", Key="hashed", Body=b"hashed")
    for found in s3.list_objects_v2(Bucket="signed")["Contents"]:
        s3.delete_object(Bucket="signed", Key=found["Key"])
    s3.delete_bucket(Bucket="signed")


def links():
    sts = boto3.client("sts")
    link = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    code, body = status(link)
    assert code == 200 and b"user/playbook" in body, body
    assert status(link.replace("GetCallerIdentity", "GetSessionToken"))[0] == 403
    iam = boto3.client("iam")
    trust = {"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}}
    trust["Statement"]["Action"] = "sts:AssumeRole"
    parameters = {"RoleName": "linked", "AssumeRolePolicyDocument": json.dumps(trust)}
    link = iam.generate_presigned_url("create_role", Params=parameters, HttpMethod="GET")
    # A link that the key's owner has signed may change what it says.
    assert status(link)[0] == 200
    return iam.get_role(RoleName="linked")["Role"]["Arn"]


def once_known(call):
    """A role is not known everywhere at once."""
    for _ in range(100):
        try:
            return call()
        except ClientError as error:
            if "cannot be assumed" not in str(error):
                raise
            time.sleep(0.1)
    return call()


def functions(role):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("keys.py", HANDLER)
    lambda_ = boto3.client("lambda")
    created = once_known(
        lambda: lambda_.create_function(
            FunctionName="keys",
            Runtime="python3.13",
            Handler="keys.handler",
            Role=role,
            Code={"ZipFile": package.getvalue()},
        )
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName="keys", WaiterConfig={"Delay": 1})
    lambda_.list_tags(Resource=created["FunctionArn"])
    key, secret, token = json.load(lambda_.invoke(FunctionName="keys")["Payload"])
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret}
    arn = boto3.client("sts", **keys, aws_session_token=token).get_caller_identity()["Arn"]
    assert arn.endswith("assumed-role/linked/keys"), arn
    refused("InvalidClientTokenId", boto3.client("sts", **keys).get_caller_identity)
    keys["aws_secret_access_key"] = "guessed"
    guessed = boto3.client("sts", **keys, aws_session_token=token)
    refused("SignatureDoesNotMatch", guessed.get_caller_identity)
    lambda_.delete_function(FunctionName="keys")
    boto3.client("iam").delete_role(RoleName="linked")


strangers()
objects()
functions(links())
print("signed requests are answered, others are not")
