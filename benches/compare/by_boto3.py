"""The scenario with boto3: what a careful person would write, without a journal."""

import io
import json
import pathlib
import sys
import time
import uuid
import zipfile

import boto3
from botocore.exceptions import ClientError

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def package():
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(pathlib.Path(__file__).with_name("handler.py"), "handler.py")
    return written.getvalue()


def create(functions, name, role):
    for pause in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4):
        try:
            return functions.create_function(
                FunctionName=name, Runtime="python3.13", Handler="handler.handler", Role=role, Code={"ZipFile": package()})
        except ClientError as error:
            # A role that is new is not known everywhere at once.
            if "cannot be assumed" not in str(error):
                raise
        time.sleep(pause)
    raise SystemExit("the role cannot be assumed")


def main():
    name = f"compare-{uuid.uuid4().hex[:8]}"
    roles, functions, logs = boto3.client("iam"), boto3.client("lambda"), boto3.client("logs")
    undo = []
    try:
        role = roles.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        undo.append(lambda: roles.delete_role(RoleName=name))
        roles.attach_role_policy(RoleName=name, PolicyArn=POLICY)
        undo.append(lambda: roles.detach_role_policy(RoleName=name, PolicyArn=POLICY))
        logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
        undo.append(lambda: logs.delete_log_group(logGroupName=f"/aws/lambda/{name}"))
        create(functions, name, role)
        undo.append(lambda: functions.delete_function(FunctionName=name))
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        for number in range(10):
            answer = functions.invoke(FunctionName=name, Payload=json.dumps({"number": number}))
            if json.load(answer["Payload"])["number"] != number + 1:
                sys.exit("the function cannot count")
    finally:
        for step in reversed(undo):
            step()


main()
