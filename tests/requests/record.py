"""Calls operations through boto3 against a server that records, with inputs made of their models: what crates/aws/tests/boto3.rs compares.

    record.py SERVICES OPERATIONS > requests.jsonl

So many services, so many operations of each. A line is an input as a playbook would write it, and the request that boto3 sent.
The same versions of boto3 record the same. An input has every member, also inside of members, but for what would have no end; one member of a
union; lists and maps of two. Of what streams events nothing is recorded.
"""

import base64
import datetime
import json
import pathlib
import random
import socket
import sys
import threading

import botocore.config
import botocore.session

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
TRICKY = ["a b", "ü", "a&b=c", "a+b", "<x>", 'q"q', "a/b", "100%", "~_.-", "日本", "a'b", "tab\tend", "\\", "line\nend", "a;b", "[x]"]
# Inputs beyond these end with what is required: some models have no end, and some a hundred thousand members.
DEEPEST = 5
MOST_VALUES = 400


# What boto3 does beyond the models, it does to these: they come in any case.
SINGULAR = {
    "apigateway": ["GetRestApis"],
    "autoscaling": ["CreateLaunchConfiguration"],
    "cloudsearchdomain": ["Search"],
    "cognito-identity": ["GetId", "GetOpenIdToken", "GetCredentialsForIdentity", "UnlinkIdentity"],
    "docdb": ["CopyDBClusterSnapshot", "CreateDBCluster"],
    "ec2": ["RunInstances", "CopySnapshot"],
    "glacier": ["InitiateJob", "UploadArchive", "ListVaults"],
    "machinelearning": ["Predict"],
    "neptune": ["CopyDBClusterSnapshot", "CreateDBCluster"],
    "rds": ["CopyDBClusterSnapshot", "CopyDBSnapshot", "CreateDBCluster", "CreateDBInstanceReadReplica"],
    "route53": ["ChangeResourceRecordSets", "GetHostedZone"],
    "s3": [
        "CopyObject", "UploadPartCopy", "GetObject", "HeadObject", "PutObject", "CreateMultipartUpload", "UploadPart", "ListObjectsV2", "ListObjectVersions",
        "DeleteObjects", "PutBucketLifecycleConfiguration", "CompleteMultipartUpload", "PutBucketPolicy", "GetBucketLocation",
    ],
    "sts": ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"],
}  # fmt: skip


class Generator:
    """Inputs that are made of a shape, as boto3 takes them and as values are written here."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.values = 0

    def text(self, shape, plain):
        if shape.enum:
            return self.random.choice(shape.enum)
        low = shape.metadata.get("min", 0)
        high = shape.metadata.get("max", 40)
        if high == 0:
            return ""
        if not plain and not low and self.random.random() < 0.4:
            return self.random.choice(TRICKY)
        return "".join(self.random.choice(LETTERS) for _ in range(self.random.randint(max(low, 1), max(low, min(high, max(low, 1) + 12), 1))))

    def number(self, shape, decimals):
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 1000)
        if decimals:
            return round(self.random.uniform(float(low), min(float(high), float(low) + 1000)), self.random.randint(0, 6))
        reach = 2**40 if shape.type_name == "long" else 10**6
        return self.random.randint(int(low), max(int(low), min(int(high), int(low) + reach)))

    def value(self, shape, member_of, path, plain=False):
        """The value twice: for boto3, and as it is written here."""
        self.values += 1
        location = shape.serialization.get("location")
        match shape.type_name:
            case "structure":
                if shape.is_document_type:
                    document = {"a": [1, "x", None, {"b": 1.5}]}
                    return document, document
                return self.structure(shape, path)
            case "list":
                count = max(shape.metadata.get("min", 0), min(2, shape.metadata.get("max", 2)))
                pairs = [self.value(shape.member, shape, path, plain or location == "header") for _ in range(count)]
                return [theirs for theirs, _ in pairs], [ours for _, ours in pairs]
            case "map":
                keys = {self.text(shape.key, True) for _ in range(max(shape.metadata.get("min", 0), 2))}
                entries = {key: self.value(shape.value, shape, path, plain or location == "headers") for key in sorted(keys)}
                return {key: theirs for key, (theirs, _) in entries.items()}, {key: ours for key, (_, ours) in entries.items()}
            case "string" | "character":
                if shape.serialization.get("jsonvalue"):
                    document = {"a": [1, "x"]}
                    return document, document
                text = self.text(shape, plain or location in ("uri", "header", "headers"))
                return text, text
            case "boolean":
                truth = self.random.random() < 0.5
                return truth, truth
            case "integer" | "long":
                number = self.number(shape, False)
                return number, number
            case "float" | "double":
                number = self.number(shape, True)
                return number, number
            case "timestamp":
                moment = datetime.datetime.fromtimestamp(self.random.randint(10**9, 2 * 10**9), datetime.timezone.utc)
                moment = moment.replace(microsecond=0 if location == "header" else self.random.choice([0, 0, 500_000, 123_000]))
                return moment, moment.isoformat().replace("+00:00", "Z")
            case "blob":
                data = self.random.randbytes(self.random.randint(max(1, shape.metadata.get("min", 1)), max(40, shape.metadata.get("min", 1))))
                return data, base64.b64encode(data).decode()
        raise ValueError(shape.type_name)

    def structure(self, shape, path):
        path = [*path, shape.name]
        is_deep = len(path) > DEEPEST or path.count(shape.name) > 1 or self.values > MOST_VALUES
        if len(path) > 4 * DEEPEST:
            raise RecursionError
        names = list(shape.members)
        if shape.is_tagged_union:
            simple = [name for name in names if shape.members[name].type_name != "structure"]
            names = [self.random.choice(simple if is_deep and simple else names)]
        elif is_deep:
            names = [name for name in names if name in shape.required_members]
        pairs = {}
        for name in names:
            member = shape.members[name]
            if member.serialization.get("eventstream"):
                raise ValueError("events")
            # The server would wait for a body of that length; and boto3 has not all checksums at hand.
            if member.serialization.get("name") == "Content-Length" or name == "ChecksumAlgorithm":
                continue
            if name == "CopySource":
                pairs[name] = 2 * ("bucket/a key+ü.txt?versionId=v1",)
                continue
            if name.endswith("KeyMD5"):
                continue
            pairs[name] = self.value(member, shape, path, bool(member.serialization.get("hostLabel") or member.serialization.get("contextParam")))
        return {name: theirs for name, (theirs, _) in pairs.items()}, {name: ours for name, (_, ours) in pairs.items()}


class Recorder:
    """A server that notes what it is sent, and refuses all of it."""

    def __init__(self):
        self.taken = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, connection.makefile("rb") as file:
            while line := file.readline():
                method, target, _ = line.decode("latin-1").split(" ")
                headers = []
                while (line := file.readline().decode("latin-1").rstrip("\r\n")):
                    name, _, value = line.partition(":")
                    headers.append((name.lower(), value.strip()))
                named = dict(headers)
                if named.get("expect", "").lower() == "100-continue":
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = self.chunks(file) if named.get("transfer-encoding") == "chunked" else file.read(int(named.get("content-length", 0)))
                self.taken.append({"method": method, "target": target, "headers": headers, "body": base64.b64encode(body).decode()})
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    def chunks(self, file):
        body = b""
        while size := int(file.readline().split(b";")[0], 16):
            body += file.read(size)
            file.readline()
        file.readline()
        return body


def stay_here(host, port, *_, **__):
    """Every host is this machine: some endpoints have the number of an account in front."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def check_version():
    """Another version has other models."""
    pinned = pathlib.Path(__file__).resolve().parents[2] / "crates/aws-model/pack/requirements.txt"
    version = next(line.split()[0].partition("==")[2] for line in pinned.read_text().splitlines() if line.startswith("botocore=="))
    if botocore.__version__ != version:
        print(f"the models are those of botocore {version}, and {botocore.__version__} is here", file=sys.stderr)
        sys.exit(3)


def main():
    check_version()
    socket.getaddrinfo = stay_here
    services, operations = int(sys.argv[1]), int(sys.argv[2])
    recorder = Recorder()
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    # In front of a loopback address nothing can stand.
    config = botocore.config.Config(region_name="us-east-1", read_timeout=5, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, inject_host_prefix=False)
    names = session.get_available_services()
    # Those of other protocols than the many come in any case.
    always = ["s3", "ec2", "sqs", "iam", "route53", "cloudfront", "lambda", "dynamodb", "cloudwatch", "s3control"]
    others = [name for name in random.Random(7).sample(names, len(names)) if name not in always]
    for service in sorted({*[*always, *others][:services], *SINGULAR}):
        client = session.create_client(service, config=config, endpoint_url=recorder.url)
        methods = {api: method for method, api in client.meta.method_to_api_mapping.items()}
        model = client.meta.service_model
        listed = list(model.operation_names)
        recorded = 0
        singular = SINGULAR.get(service, [])
        rest = [operation for operation in random.Random(service).sample(listed, len(listed)) if operation not in singular]
        for operation in [*singular, *rest]:
            if recorded >= max(operations, len(singular)):
                break
            shape = model.operation_model(operation).input_shape
            try:
                theirs, ours = Generator(f"{service}:{operation}").structure(shape, []) if shape else ({}, {})
            except (RecursionError, ValueError):
                continue
            recorder.taken.clear()
            why = ""
            try:
                getattr(client, methods[operation])(**theirs)
            except Exception as error:  # noqa: BLE001: it is refused by the recorder, or by boto3 before it is sent
                why = f"{type(error).__name__}: {error}"
            if not recorder.taken:
                print(f"{service}:{operation} is not sent: {why[:200]}", file=sys.stderr)
                continue
            recorded += 1
            print(json.dumps({"name": f"{service}:{operation}", "input": ours, **recorder.taken[0]}))
        client.close()


if __name__ == "__main__":
    main()
