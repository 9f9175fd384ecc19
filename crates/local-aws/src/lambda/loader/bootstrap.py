"""Runs a Python handler against the Lambda Runtime API, with the standard library alone."""

import importlib
import json
import logging
import math
import os
import socket
import sys
import time
import traceback

TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
API = "/2018-06-01/runtime"
JSON_LOG = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
# Runtimes before Python 3.12 write what is not ASCII as escapes.
ASCII_ONLY = os.environ.get("AWS_EXECUTION_ENV", "") in {
    f"AWS_Lambda_python3.{minor}" for minor in range(12)
}
UNHANDLED = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, "
    "or can be applied automatically. To determine if the runtime has been updated, check the "
    "runtime version in the INIT_START log entry. If this error correlates with a change in the "
    "runtime version, you may be able to mitigate this error by temporarily rolling back to the "
    "previous runtime version. For more information, see "
    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


class Fault(Exception):
    """An error of the function's set-up rather than of its code."""

    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace or []


class RuntimeApi:
    """A connection that is kept; the peer is the local AWS, which always states a Content-Length."""

    def __init__(self, address):
        self.address = address
        host, port = address.rsplit(":", 1)
        self.peer = (host, int(port))
        self.reader = None
        self.socket = None

    def connect(self):
        self.socket = socket.create_connection(self.peer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def request(self, method, path, body=b""):
        lines = [f"{method} {API}{path} HTTP/1.1", f"Host: {self.address}"]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        message = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        for attempt in (1, 2):
            fresh = self.socket is None
            try:
                if fresh:
                    self.connect()
                self.socket.sendall(message)
                return self.read_response()
            except ConnectionError:
                self.socket = None
                # A connection that idled for long may be closed; a new one that fails means the end of the local AWS.
                if fresh or attempt == 2:
                    sys.exit(0)

    def read_response(self):
        status_line = self.reader.readline()
        if not status_line:
            raise ConnectionResetError("the Runtime API closed the connection")
        headers = {}
        while True:
            line = self.reader.readline().decode("latin-1").rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        return headers, self.reader.read(length)

    def next(self):
        return self.request("GET", "/invocation/next")

    def respond(self, request_id, body):
        self.request("POST", f"/invocation/{request_id}/response", body)

    def fail(self, path, error):
        self.request("POST", path, to_json(error))


class LogSink:
    """Writes records of any number of lines so that each stays one record."""

    def __init__(self, descriptor):
        self.descriptor = int(descriptor) if descriptor else None

    def write(self, text):
        if self.descriptor is None:
            text = text.rstrip("\n").replace("\n", "\r") + "\n"
            sys.stdout.write(text)
            return
        message = text.encode("utf-8", "backslashreplace")
        micros = time.time_ns() // 1000
        frame = b"\xa5\x5a\x00\x03" + len(message).to_bytes(4, "big") + micros.to_bytes(8, "big") + message
        while frame:
            frame = frame[os.write(self.descriptor, frame):]


class Unbuffered:
    """What is printed is in the log at once, whatever happens next."""

    def __init__(self, stream):
        self.stream = stream

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        count = self.stream.write(text)
        self.stream.flush()
        return count

    def writelines(self, lines):
        self.stream.writelines(lines)
        self.stream.flush()


class Current:
    request_id = None
    tenant_id = None


class InvocationFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = Current.request_id or ""
        record.tenant_id = Current.tenant_id
        return True


class LambdaLoggerHandler(logging.Handler):
    """A record that cannot be formatted is the handler's error, as on Lambda."""

    def __init__(self, log_sink):
        super().__init__()
        self.log_sink = log_sink

    def emit(self, record):
        self.log_sink.write(self.format(record))


class JsonFormatter(logging.Formatter):
    OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"aws_request_id", "tenant_id"}

    def format(self, record):
        # Lambda knows five levels; one between them counts as the one below.
        record.levelno = min(50, max(0, record.levelno)) // 10 * 10
        record.levelname = logging.getLevelName(record.levelno)
        raw = isinstance(record.msg, dict) and not record.args
        kind, value, trace = record.exc_info or (None, None, None)
        result = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.msg if raw else record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(trace) if record.exc_info else None,
            "errorType": kind.__name__ if record.exc_info else None,
            "errorMessage": str(value) if record.exc_info else None,
            "requestId": record.aws_request_id,
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if record.exc_info else None,
        }
        if record.tenant_id is not None:
            result["tenantId"] = record.tenant_id
        for key, value in record.__dict__.items():
            if key not in self.OWN:
                result.setdefault(key, value)
        told = {key: value for key, value in result.items() if value is not None}
        return json.dumps(told, ensure_ascii=False, default=str) + "\n"


class Attributes:
    NAMES = ()

    def __init__(self, values):
        for name in self.NAMES:
            setattr(self, name, values.get(name))

    def __repr__(self):
        fields = ",".join(f"{name}={getattr(self, name)}" for name in self.NAMES)
        return f"{type(self).__name__}([{fields}])"


class CognitoIdentity(Attributes):
    NAMES = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(Attributes):
    NAMES = (
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )


class ClientContext(Attributes):
    NAMES = ("custom", "env", "client")


def parse_header(text, name):
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        message = f"Unable to parse {name} JSON: {error}"
        raise Fault("Runtime.LambdaContextUnmarshalError", message) from None


def trace_fields(client):
    """Takes the fields of W3C's trace context out of the client's."""
    fields = client.pop("w3c", None) if isinstance(client, dict) else None
    if not isinstance(fields, dict):
        return {}
    wanted = ("traceparent", "tracestate", "baggage")
    return {name: fields[name] for name in wanted if isinstance(fields.get(name), str)}


class LambdaContext:
    _ENVIRONMENT = {
        "log_group_name": "AWS_LAMBDA_LOG_GROUP_NAME",
        "log_stream_name": "AWS_LAMBDA_LOG_STREAM_NAME",
        "function_name": "AWS_LAMBDA_FUNCTION_NAME",
        "memory_limit_in_mb": "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "function_version": "AWS_LAMBDA_FUNCTION_VERSION",
    }

    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        for name, variable in self._ENVIRONMENT.items():
            setattr(self, name, os.environ.get(variable))
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = parse_header(headers.get("lambda-runtime-client-context"), "Client Context")
        self._w3c_fields = trace_fields(client)
        self.client_context = None if client is None else ClientContext(client)
        if client is not None and self.client_context.client is not None:
            self.client_context.client = Client(self.client_context.client)
        identity = parse_header(headers.get("lambda-runtime-cognito-identity"), "Cognito Identity")
        names = {"cognito_identity_id": "cognitoIdentityId"}
        names["cognito_identity_pool_id"] = "cognitoIdentityPoolId"
        values = {name: (identity or {}).get(key) for name, key in names.items()}
        self.identity = CognitoIdentity(values)
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def w3c(self):
        return dict(self._w3c_fields)

    def log(self, message):
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "log_sink"):
                handler.log_sink.write(str(message))
                return
        sys.stdout.write(str(message))

    def __repr__(self):
        names = ["aws_request_id", *self._ENVIRONMENT, "invoked_function_arn"]
        names += ["client_context", "identity", "tenant_id"]
        fields = ",".join(f"{name}={getattr(self, name)}" for name in names)
        return f"{type(self).__name__}([{fields}])"


class Writer:
    """Values to JSON as AWS's runtime writes them, which is with simplejson: named tuples are objects, bytes are text,
    decimals keep their digits."""

    def __init__(self):
        encoder = json.encoder
        # Functions of the interpreter where it has them.
        self.text = encoder.encode_basestring_ascii if ASCII_ONLY else encoder.encode_basestring
        self.open = set()

    def write(self, value):
        if value is None or value is True or value is False:
            return {None: "null", True: "true", False: "false"}[value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode())
        if isinstance(value, int):
            return int.__repr__(value)
        if isinstance(value, float):
            return self.number(value)
        return self.compound(value)

    @staticmethod
    def number(value):
        if math.isfinite(value):
            return float.__repr__(value)
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"

    def compound(self, value):
        if id(value) in self.open:
            raise ValueError("Circular reference detected")
        self.open.add(id(value))
        try:
            if isinstance(value, list):
                return self.array(value)
            as_dict = getattr(value, "_asdict", None)
            if callable(as_dict):
                return self.mapping(as_dict())
            if isinstance(value, tuple):
                return self.array(value)
            if isinstance(value, dict):
                return self.mapping(value)
            return self.special(value)
        finally:
            self.open.discard(id(value))

    def array(self, values):
        return "[" + ", ".join([self.write(value) for value in values]) + "]"

    def mapping(self, values):
        members = [f"{self.key(key)}: {self.write(value)}" for key, value in values.items()]
        return "{" + ", ".join(members) + "}"

    def key(self, key):
        if isinstance(key, (str, bytes)):
            return self.write(key)
        if key is None or isinstance(key, (bool, int, float)):
            return self.text(self.write(key))
        raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")

    @staticmethod
    def special(value):
        kind = type(value)
        # Who uses it has imported it.
        decimal = sys.modules.get("decimal")
        if decimal and isinstance(value, decimal.Decimal):
            return "NaN" if value.is_nan() else str(value)
        raise TypeError(f"Object of type {kind.__name__} is not JSON serializable")


def to_json(value):
    return Writer().write(value).encode("utf-8", "surrogatepass")


def make_error(error_type, message, trace, request_id=""):
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": trace}


def describe(exception, request_id=""):
    if isinstance(exception, Fault):
        return make_error(exception.error_type, str(exception), exception.trace, request_id)
    frames = traceback.extract_tb(exception.__traceback__)
    first = next((at for at, frame in enumerate(frames) if frame.filename != __file__), 0)
    # Without columns, so that no line of carets is below.
    plain = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames[first:]]
    return make_error(type(exception).__name__, str(exception), traceback.format_list(plain), request_id)


def log_error(error):
    if JSON_LOG:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        LOG.write(Writer().write({"timestamp": stamp, "level": "ERROR", **error}))
        return
    head = "[ERROR] " + ": ".join(part for part in (error["errorType"], error["errorMessage"]) if part)
    lines = [head, "Traceback (most recent call last):"]
    for entry in error["stackTrace"]:
        for line in entry.splitlines():
            text = line.lstrip(" ")
            # Lambda keeps the indentation from being trimmed with no-break spaces.
            lines.append("\u00a0" * (len(line) - len(text)) + text)
    LOG.write("\n".join(lines))


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler(LOG)
    if JSON_LOG:
        handler.setFormatter(JsonFormatter())
    else:
        form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S"))
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)
    handler.addFilter(InvocationFilter())
    root.addHandler(handler)


def advice(error):
    """What AWS's runtime brings along, and a fresh Python does not."""
    brought = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "urllib3"}
    if not isinstance(error, ModuleNotFoundError) or (error.name or "").partition(".")[0] not in brought:
        return ""
    return (
        ". AWS's runtime brings it, the Python that runs this function does not: run "
        f"'{sys.executable} -m pip install boto3', or put it into the deployment package."
    )


def find_handler(name):
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", message)
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}{advice(error)}"
        raise Fault("Runtime.ImportModuleError", message) from None
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        raise Fault("Runtime.UserCodeSyntaxError", message, [place]) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", message) from None


def decode(body):
    try:
        return json.loads(body)
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None


def encode(value):
    if isinstance(value, bytes):
        return value
    try:
        return to_json(value)
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def serve(api, handler):
    while True:
        headers, body = api.next()
        request_id = Current.request_id = headers["lambda-runtime-aws-request-id"]
        Current.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        try:
            context = LambdaContext(headers)
            result = encode(handler(decode(body), context))
        except Exception as exception:
            error = describe(exception, request_id)
            log_error(error)
            api.fail(f"/invocation/{request_id}/error", error)
        else:
            api.respond(request_id, result)


def main():
    # In place of this file's own directory, so that handlers find their own modules and nothing of ours.
    sys.path[0] = TASK_ROOT
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stdout, sys.stderr = Unbuffered(sys.stdout), Unbuffered(sys.stderr)
    set_up_logging()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = find_handler(os.environ["_HANDLER"])
    except Exception as exception:
        error = describe(exception)
        logging.warning(UNHANDLED)
        log_error(error)
        api.fail("/init/error", error)
        sys.exit(1)
    serve(api, handler)


LOG = LogSink(os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None))

if __name__ == "__main__":
    main()
