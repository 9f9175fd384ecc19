#!/usr/bin/env python3
"""Kills a run of services.yaml at each of its requests, cleans up, and looks at what is there: against moto, by boto3.

    killed.py --playbook target/debug/playbook                      # every request, killed before it is sent and after it had its effect
    killed.py --playbook target/debug/playbook --sample 4           # so many of them, evenly spread
    killed.py --playbook target/debug/playbook --sides late --at 17,40

The sides of a request: `before` it is sent; `after` it had its effect, its answer lost; `late`, when the clean-up may have begun. Beside the run, somebody else
has things in each service, with other names; before and afterwards everything there is listed. Exit code 0: nothing was left that the clean-up did not list, and
nothing of somebody else's was touched.
"""

import argparse
import concurrent.futures
import ctypes
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import things

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = ("--attempt-timeout", "3s", "--cleanup-timeout", "10s")
LONGEST = 180
SIDES = ("before", "after")
REMAINS = 3


def bound_to_parent():
    """The process ends with the one that starts it, where the system can see to that."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


class Proxy:
    """Between the program and the server: counts requests, and kills who sends one of them."""

    def __init__(self, port):
        self.port, self.count, self.at, self.side, self.process = port, 0, 0, "", None
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def strike(self, at, side):
        self.count, self.at, self.side, self.process = 0, at, side, None

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(connection,), daemon=True).start()

    def carry(self, connection):
        try:
            with connection, connection.makefile("rb") as file:
                while line := file.readline():
                    method, target, _ = line.decode("latin-1").split(" ")
                    headers = {}
                    while header := file.readline().decode("latin-1").strip():
                        name, _, value = header.partition(":")
                        headers[name] = value.strip()
                    length = next((value for name, value in headers.items() if name.lower() == "content-length"), 0)
                    request = (method, target, file.read(int(length)), headers)
                    with self.lock:
                        self.count += 1
                        struck = self.count == self.at
                    if struck:
                        self.kill(request)
                        return
                    answer, body = self.forward(*request)
                    kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("connection", "transfer-encoding", "content-length")]
                    head = "".join(f"{name}: {value}\r\n" for name, value in [*kept, ("content-length", answer.getheader("content-length") if method == "HEAD" else len(body))])
                    connection.sendall(f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode("latin-1") + body)
        except (ConnectionError, ValueError, OSError):
            pass  # of a program that was killed

    def kill(self, request):
        if self.side == "after":
            self.forward(*request)
        os.kill(self.process.pid, signal.SIGKILL)
        if self.side == "late":
            time.sleep(1)
            self.forward(*request)

    def forward(self, method, target, body, headers):
        server = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        server.request(method, target, body, headers)
        answer = server.getresponse()
        return answer, answer.read()


class Stage:
    """A server, a proxy, a directory; one trial after the other."""

    def __init__(self, program):
        self.program = program
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="operations-"))
        self.server, self.port = self.start()
        self.proxy = Proxy(self.port)
        self.clients = things.clients(f"http://127.0.0.1:{self.port}")
        self.number = 0

    def variables(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, "HOME": str(self.home), "AWS_REGION": things.REGION, "NO_COLOR": "1", **things.KEYS, **more}

    def start(self):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        command = [sys.executable, HERE.parent / "conformance/moto_server.py", "-H", "127.0.0.1", "-p", str(port)]
        with open(self.home / "server.log", "wb") as log:
            server = subprocess.Popen(
                command, env=self.variables(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=bound_to_parent
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
                continue
            return server, port
        raise TimeoutError("the server does not start")

    def stop(self):
        self.server.kill()
        self.server.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def tell(self, state, *arguments, proxied=False):
        command = [self.program, *arguments, *PATIENCE, "--output", "json"]
        log = (self.home / "program.log").open("wb")
        process = subprocess.Popen(command, env=self.variables(PLAYBOOK_STATE_DIR=str(state)), stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        if proxied:
            self.proxy.process = process
        try:
            output, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return "too long", []
        return process.returncode, [json.loads(line) for line in output.splitlines() if line.endswith(b"}")]

    def trial(self, at, side):
        """What a run leaves that is killed there; killed nowhere where `at` is 0."""
        self.number += 1
        started = time.monotonic()
        state = self.home / f"state-{self.number}"
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/moto-api/reset", b"", method="POST"), timeout=60).read()
        things.plant(self.clients)
        before = things.inventory(self.clients)
        self.proxy.strike(at, side)
        code, _ = self.tell(state, "run", str(HERE / "services.yaml"), "--endpoint-url", self.proxy.url, "--no-input", proxied=True)
        if at == 0 and code != 0:
            return {"at": at, "side": side, "why": [f"the run ends with {code}: {(self.home / 'program.log').read_text()}"], "requests": self.proxy.count}
        requests, exits, remaining = self.proxy.count, [code], []
        for _ in range(3):
            code, events = self.tell(state, "cleanup", "--all")
            exits.append(code)
            remaining = [left for event in events if event.get("event") == "run-finished" for left in event["remaining"]]
            if code == 0:
                break
        after = things.inventory(self.clients)
        left = sorted(set(after) - set(before))
        touched = sorted(thing for thing in before if after.get(thing) != before[thing])
        why = [f"left: {' '.join(thing)}" for thing in left] if not remaining else []
        why += [f"touched: {' '.join(thing)}" for thing in touched]
        if exits[-1] not in (0, REMAINS) or (exits[-1] == 0) == bool(remaining):
            why.append(f"the clean-up ends with {exits}, and lists {len(remaining)}")
        return {"at": at, "side": side, "why": why, "listed": [f"{one['type']} {one['name']}" for one in remaining], "seconds": round(time.monotonic() - started), "left": [" ".join(thing) for thing in left], "requests": requests}


def trials(program, chosen, jobs, tell):
    stages = [Stage(program) for _ in range(jobs)]
    try:
        waiting = list(chosen)
        lock = threading.Lock()

        def work(stage):
            done = []
            while True:
                with lock:
                    if not waiting:
                        return done
                    at, side = waiting.pop(0)
                outcome = stage.trial(at, side)
                tell(outcome)
                done.append(outcome)

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            return [outcome for done in pool.map(work, stages) for outcome in done]
    finally:
        for stage in stages:
            stage.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--playbook", required=True, type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--sample", type=int, help="so many requests, evenly spread")
    parser.add_argument("--at", help="these requests")
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()

    def tell(outcome):
        if arguments.verbose or outcome["why"]:
            print(json.dumps(outcome), flush=True)

    whole = trials(arguments.playbook, [(0, "not")], 1, tell)[0]
    requests = whole["requests"]
    if whole["why"]:
        return 1
    places = range(1, requests + 1)
    if arguments.at:
        places = [int(place) for place in arguments.at.split(",")]
    elif arguments.sample:
        places = [1 + round(step * (requests - 1) / max(1, arguments.sample - 1)) for step in range(arguments.sample)]
    chosen = [(place, side) for place in places for side in arguments.sides.split(",")]
    outcomes = trials(arguments.playbook, chosen, min(arguments.jobs, len(chosen)), tell)
    failed = [outcome for outcome in outcomes if outcome["why"]]
    listed = [outcome for outcome in outcomes if outcome.get("listed")]
    print(
        f"{requests} requests; {len(outcomes)} kills: {len(outcomes) - len(failed) - len(listed)} left nothing, {len(listed)} listed what nothing tells apart, {len(failed)} failed"
    )
    for outcome in listed:
        print(f"  listed at {outcome['at']} {outcome['side']}: {', '.join(outcome['listed'])}; there: {', '.join(outcome['left']) or 'nothing'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
