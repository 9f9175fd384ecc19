"""Runs a Python handler against the Lambda Runtime API, with the standard library alone."""

import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
API = "/2018-06-01/runtime"


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


class RequestIdFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = Current.request_id or ""
        return True


class LambdaLoggerHandler(logging.Handler):
    def __init__(self, log_sink):
        super().__init__()
        self.log_sink = log_sink

    def emit(self, record):
        try:
            self.log_sink.write(self.format(record))
        except Exception:
            self.handleError(record)


def without_paths(text):
    """Where the code really is means nothing to anybody, and differs from run to run."""
    return text.replace(TASK_ROOT, "/var/task")


class TextFormatter(logging.Formatter):
    def formatException(self, info):
        return without_paths(super().formatException(info))


class JsonFormatter(logging.Formatter):
    RESERVED = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "aws_request_id", "taskName"}

    def format(self, record):
        raw = isinstance(record.msg, dict) and not record.args
        result = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.msg if raw else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            kind, value, trace = record.exc_info
            result["stackTrace"] = [without_paths(entry) for entry in traceback.format_tb(trace)]
            result["errorType"] = kind.__name__
            result["errorMessage"] = str(value)
            result["location"] = without_paths(f"{record.pathname}:{record.funcName}:{record.lineno}")
        result["requestId"] = record.aws_request_id
        extras = {key: value for key, value in record.__dict__.items() if key not in self.RESERVED}
        return json.dumps({**extras, **result}, ensure_ascii=False, default=str) + "\n"


class Attributes:
    def __init__(self, names, values):
        for name in names:
            setattr(self, name, (values or {}).get(name))

    def __repr__(self):
        return f"{type(self).__name__}({vars(self)})"


class CognitoIdentity(Attributes):
    pass


class Client(Attributes):
    pass


class ClientContext(Attributes):
    pass


def client_context(text):
    if not text:
        return None
    try:
        values = json.loads(text)
    except ValueError as error:
        message = f"Unable to parse Client Context JSON: {error}"
        raise Fault("Runtime.LambdaContextUnmarshalError", message) from None
    context = ClientContext(["custom", "env", "client"], values)
    if context.client is not None:
        names = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]
        context.client = Client(names, context.client)
    return context


class LambdaContext:
    def __init__(self, headers):
        environ = os.environ
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.client_context = client_context(headers.get("lambda-runtime-client-context"))
        names = ["cognito_identity_id", "cognito_identity_pool_id"]
        self.identity = CognitoIdentity(names, None)
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        LOG.write(str(message))

    def __repr__(self):
        return f"LambdaContext({vars(self)})"


def encode_special(value):
    if type(value).__name__ == "Decimal":
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def to_json(value):
    return json.dumps(value, ensure_ascii=False, default=encode_special).encode("utf-8", "surrogatepass")


def make_error(error_type, message, trace, request_id=""):
    trace = [without_paths(entry) for entry in trace]
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": trace}


def describe(exception, request_id=""):
    if isinstance(exception, Fault):
        return make_error(exception.error_type, str(exception), exception.trace, request_id)
    frames = traceback.extract_tb(exception.__traceback__)
    while frames and frames[0].filename == __file__:
        del frames[0]
    return make_error(type(exception).__name__, str(exception), traceback.format_list(frames), request_id)


def log_error(error):
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        LOG.write(json.dumps({"timestamp": stamp, "level": "ERROR", **error}, ensure_ascii=False) + "\n")
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
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonFormatter())
    else:
        form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(TextFormatter(form, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(RequestIdFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    level = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level)
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)


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
        message = f"Unable to import module '{module_name}': {error}"
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
        log_error(error)
        api.fail("/init/error", error)
        sys.exit(1)
    serve(api, handler)


LOG = LogSink(os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None))

if __name__ == "__main__":
    main()
