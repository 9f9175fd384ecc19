"""What differs from server to server in how one talks to it, and nothing about what it answers."""

import json
import os
import urllib.request


class Playbook:
    """`playbook serve`."""

    name = "playbook"
    parts = ("pools", "clients", "users", "passwords", "admin", "names", "triggers", "tables", "items", "stacks", "templates", "web")

    def lacks(self, error):
        return error.response["Error"]["Code"] == "UnknownOperationException"

    def code(self, _answer):
        """The code that was last sent."""
        return self.inbox()[-1]["code"]

    def page(self, path):
        with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + path) as answer:
            return answer.headers, answer.read().decode()

    def inbox(self):
        request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/_playbook/inbox", headers={"accept": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["messages"]


class Moto:
    """`moto_server`, which sends no messages: any code confirms, but for a password's reset, whose code is in a header."""

    name = "moto"
    parts = ("pools", "clients", "users", "passwords", "admin", "names", "tables", "items", "stacks", "templates")

    def lacks(self, error):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 501)

    def code(self, answer):
        return answer["ResponseMetadata"]["HTTPHeaders"].get("x-moto-forgot-password-confirmation-code", "123456")


class CognitoLocal:
    """`cognito-local`, started with CODE=424242."""

    name = "cognito-local"
    parts = ("pools", "clients", "users", "passwords", "admin", "names")

    def lacks(self, error):
        return "Unsupported x-amz-target" in error.response["Error"]["Message"]

    def code(self, _answer):
        return "424242"


SERVERS = {server.name: server for server in (Playbook(), Moto(), CognitoLocal())}
