"""Which AWS operation an HTTP request is, and what it says."""

import functools
import json
import re
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session

SIGNED_FOR = re.compile(r"Credential=[^/]*/\d+/[^/]*/([^/]+)/aws4_request")
# What a signature is for, where a client of boto3 has another name.
CLIENTS = {"monitoring": "cloudwatch"}
READS = re.compile(r"^(Get|List|Describe|Head|Batch(Get)|Scan|Query|Filter|AdminGet)")


@dataclass
class Request:
    """A request, whole."""

    method: str
    target: str
    headers: list
    body: bytes
    service: str = ""
    operation: str = ""
    said: dict = field(default_factory=dict)

    @property
    def changes(self):
        """Whether it makes, changes or removes something."""
        return not READS.match(self.operation)


def header(headers, name):
    return next((value for key, value in headers if key.lower() == name), "")


def read(method, target, headers, body):
    """The request with its operation, and its parameters as boto3 spells them."""
    request = Request(method, target, headers, body)
    signed = SIGNED_FOR.search(header(headers, "authorization"))
    request.service = CLIENTS.get(signed[1], signed[1]) if signed else ""
    named = header(headers, "x-amz-target")
    if named:
        request.operation = named.rpartition(".")[2]
        request.said = json.loads(body or b"{}")
    elif header(headers, "content-type").startswith("application/x-www-form-urlencoded"):
        request.said = dict(parse_qsl(body.decode(), keep_blank_values=True))
        request.operation = request.said.pop("Action", "")
    elif request.service in ("lambda", "s3"):
        request.operation, request.said = routed(request.service, method, target)
        if request.service == "lambda" and body:
            request.said = {**json.loads(body), **request.said}
    return request


def without_tags(request, answer):
    """An answer of the same server in which nothing has a tag."""
    if request.operation == "GetBucketTagging" and answer.status == 200:
        body = b"<Error><Code>NoSuchTagSet</Code><Message>The TagSet does not exist</Message></Error>"
        return replace(answer, status=404, reason="Not Found", body=body)
    if not answer.body:
        return answer
    if answer.body.lstrip()[:1] == b"{":
        return replace(answer, body=json.dumps(bare(json.loads(answer.body))).encode())
    return replace(answer, body=re.sub(rb"<Tags>.*?</Tags>", b"<Tags/>", answer.body, flags=re.DOTALL))


def bare(value):
    """Data without what tags are in."""
    if isinstance(value, dict):
        return {key: bare(found) for key, found in value.items() if key not in ("Tags", "tags", "UserPoolTags")}
    return [bare(found) for found in value] if isinstance(value, list) else value


@functools.cache
def routes(service):
    """Every operation with its method, the pattern of its path and what must be in its query; the narrowest first."""
    model = botocore.session.get_session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", lambda label: f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})", re.escape(path))
        wanted = dict(parse_qsl(query, keep_blank_values=True))
        found.append((name, http["method"], re.compile(pattern.rstrip("/") + "/?"), wanted))
    return sorted(found, key=lambda route: -len(route[3]))


def routed(service, method, target):
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    # The SDK says which operation it means where a path alone does not tell.
    meant = query.pop("x-id", None)
    for name, verb, pattern, wanted in routes(service):
        matched = verb == method and pattern.fullmatch(parts.path)
        if matched and (name == meant if meant else wanted.items() <= query.items()):
            return name, {key: unquote(value) for key, value in matched.groupdict().items()}
    return meant or "", {}
