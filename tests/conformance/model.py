"""Holds raw answers against botocore's model of the service."""

import contextlib
import json
import threading
import xml.etree.ElementTree as ElementTree

# Errors that every operation may answer with: each service's page "Common Error Types".
COMMON = {
    "AccessDeniedException",
    "AccessDenied",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnknownOperationException",
    "ValidationError",
    "ValidationException",
}


# What services answer although their models do not list it, or leave out although they say it is there.
UNDECLARED = {
    "apigatewayv2": {"ConflictException"},
    "sqs": {
        "InvalidParameterValue",
        "MissingParameter",
        "QueueAlreadyExists",
        "AWS.SimpleQueueService.NonExistentQueue",
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "AWS.SimpleQueueService.EmptyBatchRequest",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    },
}
LEFT_OUT = {"sqs": {".Failed"}}


class Model:
    """What the service's operations may answer, and where an answer was otherwise."""

    def __init__(self, client):
        self.service = client.meta.service_model
        self.name = self.service.service_name
        self.unknown, self.missing, self.undeclared = {}, {}, {}
        self.seen = threading.local()
        client.meta.events.register(f"before-parse.{self.service.service_id.hyphenize()}", self.keep)

    def keep(self, response_dict=None, operation_model=None, **_):
        self.seen.answer = (operation_model, response_dict)

    @contextlib.contextmanager
    def watching(self):
        self.seen.answer = None
        yield
        if self.seen.answer is None:
            return
        operation, answer = self.seen.answer
        shape = operation.output_shape
        for found in (self.unknown, self.missing):
            found.setdefault(operation.name, set())
        if shape is None or not answer["body"]:
            return
        if self.service.metadata["protocol"] == "query":
            self.of_xml(operation, shape, answer["body"])
        else:
            self.of_json(operation.name, shape, json.loads(answer["body"]), "")

    def of_xml(self, operation, shape, body):
        root = ElementTree.fromstring(body)
        wrapper = shape.serialization.get("resultWrapper")
        result = next((child for child in root if local(child) == wrapper), root)
        self.of_element(operation.name, shape, result, "")

    def of_element(self, operation, shape, element, path):
        if shape.type_name == "structure":
            for child in element:
                member = shape.members.get(local(child))
                if member is None:
                    self.unknown[operation].add(f"{path}.{local(child)}")
                else:
                    self.of_element(operation, member, child, f"{path}.{local(child)}")
            self.needs(operation, shape, {local(child) for child in element}, path)
        elif shape.type_name == "list":
            for child in element:
                self.of_element(operation, shape.member, child, f"{path}[]")

    def of_json(self, operation, shape, value, path):
        if value is None:
            self.unknown[operation].add(f"{path} is null")
        elif shape.type_name == "structure":
            names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
            for name, inner in value.items():
                if name not in names:
                    self.unknown[operation].add(f"{path}.{name}")
                else:
                    self.of_json(operation, shape.members[names[name]], inner, f"{path}.{name}")
            self.needs(operation, shape, {names.get(name) for name in value}, path)
        elif shape.type_name == "list":
            for inner in value:
                self.of_json(operation, shape.member, inner, f"{path}[]")
        elif shape.type_name == "map" and path.count("[]") < 8:
            for inner in value.values():
                self.of_json(operation, shape.value, inner, f"{path}[]")

    def needs(self, operation, shape, present, path):
        for name in shape.required_members:
            if name not in present and f"{path}.{name}" not in LEFT_OUT.get(self.name, ()):
                self.missing[operation].add(f"{path}.{name}")

    def refused(self, error):
        operation = self.service.operation_model(error.operation_name)
        declared = {shape.error_code for shape in operation.error_shapes} | {shape.name for shape in operation.error_shapes}
        undeclared = self.undeclared.setdefault(operation.name, set())
        if (code := error.response["Error"]["Code"]) not in declared | COMMON | UNDECLARED.get(self.name, set()):
            undeclared.add(code)

    def findings(self):
        """A check for each operation that was called."""
        for what, found in (("unknown members", self.unknown), ("missing members", self.missing), ("undeclared errors", self.undeclared)):
            for operation, paths in sorted(found.items()):
                yield f"model/{self.name} {operation}: {what}", [], sorted(paths)


def local(element):
    """A tag without its namespace."""
    return element.tag.rpartition("}")[2]
