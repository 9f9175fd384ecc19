"""A web page of somebody else's, in a real browser, against `playbook serve`: whatever it sends, nothing changes.

    python3 tests/browser/pages.py PLAYBOOK [CHROMIUM]

The page lies at `http://evil.example`, a name that this browser alone resolves, to this machine. It tries every way in
which a page can have something sent: pictures, scripts, frames, forms, `fetch` with and without CORS, beacons, sockets,
at the names of this machine and, as a page does whose name was bound to this machine's address, at its own. The same is
sent to a server that takes anything, so that it is known what the browser really sends.
"""

import base64
import http.server
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

HERE = pathlib.Path(__file__).parent
LONGEST = 120
# What a browser may send across origins without asking first, and does.
SENT = """img img-unsigned img-role script stylesheet iframe sandboxed-iframe form-get form-post form-post-text
    form-post-multipart fetch-no-cors fetch-no-cors-post fetch-no-cors-urlencoded fetch-cors beacon event-source
    web-socket worker runtime-next runtime-next-frame runtime-next-fetch runtime-error""".split()
HANDLER = """import os
def handler(event, context):
    return {"event": event, "api": os.environ["AWS_LAMBDA_RUNTIME_API"]}
"""
TRUST = {
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
}


class Account:
    """An embedded AWS, spoken to as a program does."""

    def __init__(self, playbook, directory):
        surroundings = {"PATH": os.environ["PATH"], "HOME": directory, "TMPDIR": directory}
        self.process = subprocess.Popen(
            [playbook, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True, env=surroundings
        )
        start = "export AWS_ENDPOINT_URL="
        self.endpoint = next(
            line.removeprefix(start).strip() for line in self.process.stdout if line.startswith(start)
        )
        self.port = self.endpoint.rsplit(":", 1)[1]

    def call(self, service, path="/", body=b"", method="POST", target=None):
        headers = {
            "Authorization": "AWS4-HMAC-SHA256 Credential=local/20261130/us-east-1/"
            f"{service}/aws4_request, SignedHeaders=host, Signature=00",
        }
        if target:
            headers["X-Amz-Target"] = target
            headers["Content-Type"] = "application/x-amz-json-1.1"
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoint + path, body or None, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.read()

    def create_function(self):
        trust = urllib.parse.quote(json.dumps(TRUST))
        self.call(
            "iam",
            body="Action=CreateRole&Version=2010-05-08&RoleName=echo"
            f"&AssumeRolePolicyDocument={trust}".encode(),
        )
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("echo.py", HANDLER)
        function = {
            "FunctionName": "echo",
            "Runtime": "python3.13",
            "Handler": "echo.handler",
            "Role": "arn:aws:iam::000000000000:role/echo",
            "Timeout": 20,
            "Code": {"ZipFile": base64.b64encode(package.getvalue()).decode()},
        }
        for _ in range(100):
            try:
                self.call("lambda", "/2015-03-31/functions", function)
                break
            except urllib.error.HTTPError:
                # The role is not known everywhere yet.
                time.sleep(0.1)
        time.sleep(1)

    def invoke(self, event):
        return json.loads(self.call("lambda", "/2015-03-31/functions/echo/invocations", event))

    def inventory(self):
        """Everything that a page could have made, in the words of the account."""
        query = "Version=2010-05-08&Action="
        logs = self.call("logs", body={}, target="Logs_20140328.DescribeLogGroups")
        return {
            "roles": without_ids(self.call("iam", body=f"{query}ListRoles".encode())),
            "stacks": without_ids(
                self.call("cloudformation", body=b"Version=2010-05-15&Action=ListStacks")
            ),
            "functions": json.loads(self.call("lambda", "/2015-03-31/functions", method="GET")),
            "groups": [group["logGroupName"] for group in json.loads(logs)["logGroups"]],
            "tables": self.call("dynamodb", body={}, target="DynamoDB_20120810.ListTables").decode(),
            "buckets": without_ids(self.call("s3", method="GET")),
        }

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(LONGEST)


def without_ids(xml):
    text = xml.decode()
    start = text.find("<RequestId>")
    return text if start < 0 else text[:start]


class Recorder(http.server.BaseHTTPRequestHandler):
    """Takes anything, and notes which attack it was."""

    def note(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.server.seen.update((name, self.command) for name in query.get("attack", []))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(204)
        self.end_headers()

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = note

    def log_message(self, *_):
        pass


class Page(http.server.BaseHTTPRequestHandler):
    """The page, and where it says that it has done everything."""

    def do_GET(self):
        found = self.path == "/"
        body = self.server.page if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(204)
        self.end_headers()
        self.server.done.set()

    def log_message(self, *_):
        pass


def serving(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def browse(chromium, url, profile, done):
    """Opens a page in a browser with a profile of its own, until it has done everything."""
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-popup-blocking",
        # A page behind the windows that it opens would otherwise be slowed down.
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--host-resolver-rules=MAP evil.example 127.0.0.1",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        url,
    ]
    browser = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        if not done.wait(LONGEST):
            sys.exit("the page does not get to its end")
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def main():
    playbook = sys.argv[1]
    chromium = sys.argv[2] if len(sys.argv) > 2 else shutil.which("chromium")
    directory = tempfile.mkdtemp(prefix="playbook-browser-")
    account = Account(playbook, directory)
    try:
        account.create_function()
        api = account.invoke("before")["api"]
        before = account.inventory()
        recorder, page = serving(Recorder), serving(Page)
        recorder.seen, page.done = set(), threading.Event()
        other = f"http://127.0.0.1:{recorder.server_port}"
        runtime_port = api.rsplit(":", 1)[1]
        hosts = ["127.0.0.1", "localhost", "evil.example", "bucket.localhost"]
        targets = [{"name": "recorder", "base": other, "runtime": other}] + [
            {
                "name": host,
                "base": f"http://{host}:{account.port}",
                "runtime": f"http://{host}:{runtime_port}",
            }
            for host in hosts
        ]
        text = (HERE / "attack.html").read_text().replace("TARGETS", json.dumps(targets), 1)
        page.page = text.encode()
        browse(chromium, f"http://evil.example:{page.server_port}/", f"{directory}/profile", page.done)
        missing = set(SENT) - {name for name, _ in recorder.seen}
        assert not missing, f"the browser does not even send {sorted(missing)}"
        after = account.inventory()
        changed = {name: after[name] for name in before if before[name] != after[name]}
        assert not changed, f"a page has changed the account: {json.dumps(changed, indent=1)}"
        assert account.invoke("after") == {"event": "after", "api": api}, "the runtime was disturbed"
        print(f"{len(hosts)} names, {len(recorder.seen)} ways to send: nothing has changed")
    finally:
        account.end()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
