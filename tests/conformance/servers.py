"""What differs from server to server in how one talks to it, and nothing about what it answers."""

import json
import os
import urllib.request


class Playbook:
    """`playbook serve`."""

    name = "playbook"
    parts = ("pools", "clients", "users", "passwords", "admin", "names", "triggers", "factors", "tables", "items", "stacks", "templates", "roles", "log_groups", "parameters", "queues", "topics", "streams", "apis", "web")

    def lack(self, error):
        """What the server says where it has not got something."""
        absent = error.response["Error"]["Code"] == "UnknownOperationException"
        return f"there is no {error.operation_name}" if absent else None

    def code(self, _answer):
        """The code that was last sent."""
        return self.inbox()[-1]["code"]

    def page(self, path, accept="application/json"):
        request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + path, headers={"accept": accept})
        with urllib.request.urlopen(request) as answer:
            return answer.headers, answer.read().decode()

    def inbox(self):
        return json.loads(self.page("/_playbook/inbox")[1])["messages"]


class Moto:
    """`moto_server`, which sends no messages: any code confirms, but for a password's reset, whose code is in a header."""

    name = "moto"
    parts = ("pools", "clients", "users", "passwords", "admin", "names", "tables", "items", "stacks", "templates", "roles", "log_groups", "parameters", "queues", "topics", "streams", "apis")

    def lack(self, error):
        broken = error.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 501)
        return f"{error.operation_name} ends in an internal error" if broken else None

    def code(self, answer):
        return answer["ResponseMetadata"]["HTTPHeaders"].get("x-moto-forgot-password-confirmation-code", "123456")


class CognitoLocal:
    """`cognito-local`, started with CODE=424242."""

    name = "cognito-local"
    parts = ("pools", "clients", "users", "passwords", "admin", "names")

    def lack(self, error):
        answer = error.response["Error"]
        if "Unsupported x-amz-target" in answer["Message"]:
            return f"there is no {error.operation_name}"
        return f"{error.operation_name} ends in an internal error" if answer["Code"] == "500" else None

    def code(self, _answer):
        return "424242"


SERVERS = {server.name: server for server in (Playbook(), Moto(), CognitoLocal())}
