"""Scenes of calls, the checks in them, and what came of each.

A scene is a function with resources of its own, so that one server's shortcoming hides no more than the rest of that scene.
"""

import contextlib
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from model import Model

CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
SCENES = {}
LONGEST_SHOWN = 200

# What no two runs have in common.
FORMS = [
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<token>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"\b(us-east-1|local)_([A-Za-z0-9]{8,9}|[0-9a-f]{32})\b", "<pool>"),
    (r"\b(?=[a-z0-9]*[0-9])[a-z0-9]{25,26}\b", "<client>"),
    (r"\b(12345678901[23]|000000000000)\b", "<account>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.+:Z]*", "<time>"),
    (r"http://(127\.0\.0\.1|localhost):\d+", "<endpoint>"),
    (r"\b(conformance|making|taken|kept)-[0-9a-f]{8}\b", "<name>"),
    (r"\b[0-9A-Fa-f]{32}\b", "<id>"),
]


class Lacking(Exception):
    """The server has no such operation."""


class Result:
    """One check: what AWS answers, and what this server answered."""

    def __init__(self, name, expected, got):
        self.name, self.expected, self.got = name, shown(expected), shown(got)
        self.same = got == expected


def shown(value):
    """One line that two runs have in common."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    for form, name in FORMS:
        text = re.sub(form, name, text)
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def scene(*, servers=(), parallel=False):
    """Registers a scene of the module's part; for some servers only, if it says so."""

    def register(function):
        part = function.__module__
        SCENES.setdefault(part, []).append((function, frozenset(servers), parallel))
        return function

    return register


def eventually(look, seconds=5):
    """What `look` sees as soon as it sees something, or what it sees in the end."""
    end = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return seen


def pick(answer, *names):
    """Some members of an answer; what is missing is left out."""
    return {name: answer[name] for name in names if name in answer}


def attributes(**values):
    """A list of user attributes; `custom__x` is `custom:x`."""
    return [{"Name": name.replace("__", ":"), "Value": value} for name, value in values.items()]


def values(listed):
    """A list of user attributes as a dictionary."""
    return {attribute["Name"]: attribute["Value"] for attribute in listed}


class Run:
    """All scenes against one server."""

    def __init__(self, server):
        self.server = server
        self.results = {}
        self.scenes = []
        self.lock = threading.Lock()
        self.clients = {}
        self.models = {}

    def client(self, service):
        with self.lock:
            if service not in self.clients:
                client = boto3.client(service, config=CONFIG)
                self.clients[service], self.models[service] = client, Model(client)
            return self.clients[service]

    def record(self, name, expected, got):
        result = Result(name, expected, got)
        with self.lock:
            if name in self.results:
                raise ValueError(f"two checks are called {name}")
            self.results[name] = result

    def perform(self, parts):
        with ThreadPoolExecutor(max_workers=4) as slow:
            for part in parts:
                for function, servers, parallel in SCENES[part]:
                    if servers and self.server.name not in servers:
                        continue
                    started = Scene(self, part, function)
                    self.scenes.append(started)
                    if parallel:
                        slow.submit(started.perform)
                    else:
                        started.perform()
        if tuple(parts) != self.server.parts:
            return
        for model in self.models.values():
            for name, expected, got in model.findings():
                self.record(name, expected, got)


class Scene:
    """One scene: calls, checks, and what must be taken away afterwards."""

    def __init__(self, run, part, function):
        self.run, self.server, self.function = run, run.server, function
        self.name = f"{part}/{function.__name__}"
        self.after = contextlib.ExitStack()

    def perform(self):
        got = "goes through"
        try:
            with self.after:
                self.function(self)
        except Lacking as lacking:
            got = str(lacking)
        except ClientError as error:
            got = f"{error.operation_name} is refused: {error.response['Error']['Code']}"
        except KeyError as error:
            got = f"an answer lacks {error}"
        except Exception as error:  # a malformed answer may surface as anything
            got = f"{type(error).__name__}: {error}"
        self.run.record(self.name, "goes through", got)

    def client(self, service):
        return self.run.client(service)

    def call(self, service, operation, /, **parameters):
        """Calls, and holds the answer against the service's model."""
        client = self.client(service)
        with self.run.models[service].watching():
            try:
                return getattr(client, operation)(**parameters)
            except ClientError as error:
                if lack := self.server.lack(error):
                    raise Lacking(lack) from None
                self.run.models[service].refused(error)
                raise
            except ResponseParserError:
                raise Lacking(f"{client.meta.method_to_api_mapping[operation]} ends in an internal error") from None

    def same(self, name, got, expected):
        """One check."""
        self.run.record(f"{self.name}: {name}", expected, got)

    def holds(self, name, condition, got=None):
        """One check of something that cannot be compared."""
        self.run.record(f"{self.name}: {name}", "yes", "yes" if condition else f"no: {got}")

    def refused(self, name, code, service, operation, /, message=None, **parameters):
        """One check that a call is refused. Texts are AWS's, but no document gives them: they are held for ours alone."""
        try:
            self.call(service, operation, **parameters)
        except Lacking as lacking:
            self.same(name, str(lacking), code)
            return {}
        except ClientError as error:
            answer = error.response["Error"]
            self.same(name, answer["Code"], code)
            if message is not None and self.server.name == "playbook":
                self.same(f"{name}, the text", answer["Message"], fitting(answer["Message"], message))
            return error.response
        self.same(name, "no refusal", code)
        return {}

    def cognito(self, operation, /, **parameters):
        return self.call("cognito-idp", operation, **parameters)

    def no_cognito(self, name, code, operation, message=None, /, **parameters):
        return self.refused(name, code, "cognito-idp", operation, message=message, **parameters)


def fitting(text, pattern):
    """The text itself where a compiled pattern is found in it; otherwise what was wanted."""
    if isinstance(pattern, re.Pattern):
        return text if pattern.search(text) else pattern.pattern
    return pattern
