"""The servers that the runs go against, each a process of its own on a free port."""

import ctypes
import functools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
REGION = "us-east-1"
ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
LONGEST_START = 60
PR_SET_PDEATHSIG = 1
TAG = re.compile("<Tag><Key>([^<]*)</Key><Value>([^<]*)</Value></Tag>")
SAYS_WHERE = re.compile(r"http://(?:127\.0\.0\.1|localhost):(\d+)")


def bound_to_parent():
    """The process ends with the one that starts it, however that ends, where the system can see to that."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def environment(home, **more):
    """An environment that nothing of the person's own is in."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "HOME": str(home), "TMPDIR": str(home), "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", **KEYS, **more}


def eventually(look, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what} took longer than {seconds} s")


def ask(url, method="GET", body=None):
    with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=30) as answer:
        return answer.read()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """A server with nothing in it."""

    name = ""
    # Operations whose conditions it does not look at.
    unconditional = ()

    def __init__(self, home, program):
        self.home, self.program, self.process = home, program, None
        home.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def launch(self, command, **more):
        self.log = open(self.home / "server.log", "ab")  # noqa: SIM115 - as long as the process
        variables = environment(self.home, **more)
        pipe = subprocess.PIPE if self.says_where else self.log
        self.process = subprocess.Popen(
            command, env=variables, cwd=self.home, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, preexec_fn=bound_to_parent
        )
        if self.says_where:
            self.port = self.told()

    says_where = True

    def mended(self, _aws):
        """What is seen to before and after each delivery, where a server lacks what the guarantee rests on."""
        return lambda _request: lambda _answer: None

    def told(self):
        """The port that the server says; what it writes afterwards goes to its log."""
        for line in self.process.stdout:
            self.log.write(line)
            found = SAYS_WHERE.search(line.decode(errors="replace"))
            if found:
                threading.Thread(target=self.drain, daemon=True, args=(self.process.stdout, self.log)).start()
                return int(found[1])
        raise RuntimeError(f"{self.name} ended: see {self.home}/server.log")

    @staticmethod
    def drain(source, log):
        for line in source:
            log.write(line)
            log.flush()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Moto(Server):
    name = "moto"
    unconditional = ("UpdateFunctionConfiguration",)

    def start(self):
        script = HERE / "moto_server.py"
        self.launch([sys.executable, script, "-H", "127.0.0.1", "-p", "0"])
        eventually(lambda: self.answers(), LONGEST_START, self.name)
        ask(f"{self.url}/moto-api/config", "POST", b'{"lambda": {"use_docker": false}}')

    def mended(self, aws):
        """It forgets the tags that a bucket is created with."""

        def before(request):
            if request.operation != "CreateBucket" or request.said["Bucket"] in [found["Name"] for found in aws["s3"].list_buckets()["Buckets"]]:
                return lambda _answer: None
            return functools.partial(tag, request)

        def tag(request, answer):
            if answer.status == 200:
                tags = [{"Key": key, "Value": value} for key, value in TAG.findall(request.body.decode())]
                aws["s3"].put_bucket_tagging(Bucket=request.said["Bucket"], Tagging={"TagSet": tags})

        return before

    def answers(self):
        try:
            return ask(f"{self.url}/moto-api/")
        except OSError:
            return None

    def reset(self):
        ask(f"{self.url}/moto-api/reset", "POST")


class Ministack(Server):
    name = "ministack"
    says_where = False

    def start(self):
        self.port = free_port()
        program = os.environ["PLAYBOOK_TEST_MINISTACK"]
        self.launch([program], BIND_HOST="127.0.0.1", GATEWAY_PORT=str(self.port), MINISTACK_ACCOUNT_ID=ACCOUNT, LOG_LEVEL="WARNING")
        eventually(lambda: self.answers(), LONGEST_START, self.name)

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: see {self.home}/server.log")
        try:
            return ask(f"{self.url}/_ministack/health")
        except OSError:
            return None

    def reset(self):
        ask(f"{self.url}/_ministack/reset", "POST")


class Serve(Server):
    """`playbook serve`, which starts faster than it could be emptied."""

    name = "serve"
    port = 0

    def start(self):
        command = [self.program, "serve", "--port", str(self.port), "--local-pace", "none"]
        self.launch(command, PLAYBOOK_STATE_DIR=str(self.home / "state"))

    def reset(self):
        self.stop()
        self.start()


SERVERS = {server.name: server for server in (Moto, Ministack, Serve)}
