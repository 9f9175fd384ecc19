"""Writes auth_tokens.json: the tokens that botocore makes, with its clock stopped. Needs boto3: see tests/requirements.txt."""

import datetime
import json
import pathlib
from unittest import mock

import botocore.session

NOW = datetime.datetime(2026, 11, 23, 8, 0, 0, tzinfo=datetime.timezone.utc)
KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaDGV1LWNlbnRyYWwtMSJHMEUCIQ+a=="
HOST = "mydb.123456789012.eu-central-1.rds.amazonaws.com"

CASES = [
    {"host": HOST, "port": 3306, "user": "jane_doe", "region": "eu-central-1", "session_token": None},
    {"host": HOST, "port": 3306, "user": "jane_doe", "region": "eu-central-1", "session_token": SESSION_TOKEN},
    {"host": HOST, "port": 443, "user": "jane_doe", "region": "eu-central-1", "session_token": None},
    {"host": "127.0.0.1", "port": 13306, "user": "Jänë +~/&=?%", "region": "us-east-1", "session_token": SESSION_TOKEN},
]


def token(case):
    session = botocore.session.Session()
    session.set_credentials(*KEY, case["session_token"])
    client = session.create_client("rds", region_name="us-west-2")
    return client.generate_db_auth_token(case["host"], case["port"], case["user"], case["region"])


with mock.patch("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None)):
    tokens = [case | {"now": int(NOW.timestamp()), "token": token(case)} for case in CASES]

written = pathlib.Path(__file__).with_suffix(".json")
written.write_text(json.dumps(tokens, indent=2, ensure_ascii=False) + "\n")
