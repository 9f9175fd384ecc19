"""A proxy on loopback between the program and a server. Every request passes it; faults happen to those that are struck.

What a fault does is a list of acts, such as `deliver`, `kill`, `reply`; see `faults.py`.
"""

import http.client
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import wire

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "proxy-connection"}
LONGEST_ANSWER = 60
# Whatever takes longer, and is not meant to, may have cost the program an attempt, which lasts three seconds.
SLOW = 2.5
MEANT_TO_TAKE_LONG = {"wait", "later", "second"}
# How long a request waits for another run; it is not to be given up meanwhile.
LONGEST_AHEAD = 2.5
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a reset instead of an orderly end


@dataclass
class Answer:
    """What a server, or a proxy in its stead, replies."""

    status: int
    headers: list
    body: bytes
    reason: str = ""


@dataclass
class Passed:
    """A request that came by, and what happened to it."""

    number: int
    phase: str
    service: str
    operation: str
    acts: list = field(default_factory=list)
    statuses: list = field(default_factory=list)

    def __str__(self):
        seen = f" ({', '.join(map(str, self.statuses))})" if self.statuses else ""
        happened = f": {', '.join(self.acts)}" if self.acts else ""
        return f"{self.number} {self.phase} {self.service}:{self.operation}{happened}{seen}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = LONGEST_ANSWER
    # Small answers are not held back for acknowledgements.
    disable_nagle_algorithm = True

    def log_message(self, *_arguments):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError, ValueError, OSError):
            self.close_connection = True  # the client has gone

    def pass_on(self):
        request = wire.read(self.command, self.path, self.headers.items(), self.body())
        self.server.proxy.handle(request, self)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = pass_on

    def body(self):
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        whole = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(whole)

    def answer(self, answer, share=1.0):
        """Sends it; if a share of it is wanted only, the connection ends there."""
        self.send_response_only(answer.status, answer.reason or None)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: int(len(answer.body) * share)])
        self.wfile.flush()
        if share < 1:
            self.close()

    def close(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def reset(self):
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        # The handler's files hold the socket open beyond `close`.
        for opened in (self.rfile, self.wfile, self.connection):
            opened.close()


class Proxy:
    """In front of one server for as long as that lives; one trial after the other."""

    def __init__(self):
        self.port = 0
        self.upstream = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.proxy = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.turn = threading.Condition()
        # One delivery at a time, so that what somebody else does is told from what the run does.
        self.delivery = threading.RLock()
        self.begin(0, [], None, lambda _request: lambda _answer: None)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def begin(self, upstream, strikes, somebody, mended, another_run=None):
        """A new trial: what is to happen, who interferes, what is seen to at each delivery, and how a second run begins."""
        self.upstream, self.strikes, self.somebody, self.mended, self.another_run = upstream, strikes, somebody, mended, another_run
        self.passed, self.under_way, self.victim, self.phase, self.troubles = [], 0, None, "run", []
        self.slow = False

    def enter(self, phase, victim):
        """From now on, requests are those of this process."""
        self.phase, self.victim = phase, victim

    def begin_second(self, count):
        started = len(self.passed)
        other = self.another_run()
        end = time.monotonic() + LONGEST_AHEAD
        while other.poll() is None and len(self.passed) < started + count and time.monotonic() < end:
            time.sleep(0.01)

    def handle(self, request, client):
        with self.turn:
            self.slow = self.slow or self.was_given_up(request)
            seen = Passed(len(self.passed) + 1, self.phase, request.service, request.operation)
            self.passed.append(seen)
            strike = next((strike for strike in self.strikes if strike.hits(self.phase, request)), None)
        acts = strike.acts if strike else [("deliver",), ("reply",)]
        if strike and strike.phase != "*":
            seen.acts = [" ".join(map(str, act)) for act in acts]
        Case(self, request, client, seen).carry_out(acts)

    def was_given_up(self, request):
        """Whether this is another attempt although the one before was answered well, as it was meant to be: too late, then."""
        attempt = wire.header(request.headers, "amz-sdk-request").removeprefix("attempt=")
        if attempt[:1] in ("", "1"):
            return False
        same = (seen for seen in reversed(self.passed) if (seen.service, seen.operation) == (request.service, request.operation))
        before = next(same, None)
        return before is not None and before.acts[-1:] in ([], ["reply"]) and all(status < 400 for status in before.statuses)

    def deliver(self, request):
        with self.delivery:
            try:
                afterwards = self.mended(request)
                answer = self.forward(request)
                afterwards(answer)
            except (OSError, http.client.HTTPException) as error:
                self.troubles.append(f"{request.service}:{request.operation}: {error!r}")
                answer = Answer(502, [], b"")
        return answer

    def forward(self, request):
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=LONGEST_ANSWER)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name.lower() not in HOP_BY_HOP | {"content-length"}:
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(request.body)))
            connection.putheader("connection", "close")
            connection.endheaders(request.body)
            got = connection.getresponse()
            body = got.read()
            headers = [(name, value) for name, value in got.getheaders() if name.lower() not in HOP_BY_HOP | {"content-length"}]
            return Answer(got.status, headers, body, got.reason)
        finally:
            connection.close()

    def later(self, seconds, request, seen):
        with self.turn:
            self.under_way += 1

        def land():
            time.sleep(seconds)
            try:
                seen.statuses.append(f"late {self.deliver(request).status}")
            finally:
                with self.turn:
                    self.under_way -= 1
                    self.turn.notify_all()

        threading.Thread(target=land, daemon=True).start()

    def settle(self, seconds):
        """Waits until nothing is under way any more."""
        with self.turn:
            if not self.turn.wait_for(lambda: self.under_way == 0, seconds):
                self.troubles.append("a request is under way still")

    @property
    def struck(self):
        return [seen for seen in self.passed if seen.acts]


class Case:
    """One struck request, or one that nothing happens to."""

    def __init__(self, proxy, request, client, seen):
        self.proxy, self.request, self.client, self.seen = proxy, request, client, seen
        self.got = None

    def carry_out(self, acts):
        started = time.monotonic()
        for act, *details in acts:
            getattr(self, act)(*details)
        if time.monotonic() - started > SLOW and not any(act in MEANT_TO_TAKE_LONG for act, *_ in acts):
            self.proxy.slow = True

    def deliver(self):
        self.got = self.proxy.deliver(self.request)
        self.seen.statuses.append(self.got.status)

    def again(self):
        """Arrives once more, and nobody hears of the answer."""
        self.seen.statuses.append(self.proxy.deliver(self.request).status)

    def later(self, seconds):
        """Arrives after a while, whoever has gone meanwhile."""
        self.proxy.later(seconds, self.request, self.seen)

    def wait(self, seconds):
        time.sleep(seconds)

    def reply(self):
        self.client.answer(self.got)

    def say(self, status, media_type, text):
        """An answer that is not the server's."""
        body = text.encode()
        self.client.answer(Answer(status, [("content-type", media_type)], body))

    def cut(self, share):
        self.client.answer(self.got, share)

    def close(self):
        self.client.close()

    def reset(self):
        self.client.reset()

    def kill(self):
        """Ends the program as nothing can prevent; it is gone before anything else happens."""
        victim = self.proxy.victim
        if victim:
            victim.kill()
            victim.wait()
        self.client.close_connection = True

    def strip(self):
        """The tags are not to be seen yet."""
        whole, self.got = self.got, wire.without_tags(self.request, self.got)
        if whole.body != self.got.body:
            self.seen.acts.append("untagged")

    def second(self, count):
        """Another run of the same playbook comes that far, or to its end, before this one goes on."""
        self.proxy.begin_second(count)

    def meddle(self, how):
        """Somebody else, who does not come through here, does something of the same kind."""
        with self.proxy.delivery:
            self.proxy.somebody.act(how, self.request)
