"""Runs a program at a pseudo-terminal and has a dialogue with it.

Reads {"command": [...], "environment": {...}, "directory": "...", "lines": [{"await": "...", "type": "..."}]} from stdin:
each `await` is plain text that must appear after the last one did; then `type` is typed. Writes {"shown": "...", "exit": n,
"echoes": bool, "lines": bool} to stdout: everything the terminal showed, how the program ended, and whether the
terminal it leaves echoes and reads line by line.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

LIMIT = 90
SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>78]")


class Terminal:
    def __init__(self, task):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, task.get("columns", 120), 0, 0))
        self.raw = b""
        self.deadline = time.monotonic() + LIMIT

        def take_terminal():
            os.setsid()
            # Only the terminal that controls a session sends it a signal when it is closed.
            if task.get("controls", True):
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.program = subprocess.Popen(
            task["command"],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            cwd=task["directory"],
            env=task["environment"],
            preexec_fn=take_terminal,
        )

    def shown(self):
        return SEQUENCES.sub("", self.raw.decode("utf-8", "replace"))

    def read(self):
        ready, _, _ = select.select([self.master], [], [], 0.02)
        if ready:
            part = os.read(self.master, 65536)
            self.raw += part
            # Where is the cursor? A terminal answers.
            for _ in range(part.count(b"\x1b[6n")):
                os.write(self.master, b"\x1b[1;1R")
        return bool(ready)

    def until(self, done):
        while not done():
            if time.monotonic() > self.deadline:
                return False
            if not self.read() and self.program.poll() is not None:
                # What it wrote last may have come in between the two.
                while self.read():
                    pass
                return done()
        return True


def code_of(status):
    return status if status >= 0 else 128 - status


def main():
    task = json.load(sys.stdin)
    terminal = Terminal(task)
    position = 0
    missing = None
    for index, line in enumerate(task["lines"]):
        if task.get("signal") and index == len(task["lines"]) - 1:
            terminal.program.send_signal(task["signal"])
        wanted = line["await"]
        if not terminal.until(lambda: wanted in terminal.shown()[position:]):
            missing = wanted
            break
        position = terminal.shown().index(wanted, position) + len(wanted)
        os.write(terminal.master, line["type"].encode())
    if missing is None and task.get("hang_up"):
        os.close(terminal.slave)
        os.close(terminal.master)
        closed = time.monotonic()
        code = code_of(terminal.program.wait(LIMIT))
        took = time.monotonic() - closed
        json.dump({"exit": code, "missing": None, "shown": terminal.shown(), "took": took}, sys.stdout)
        return
    if missing is None:
        terminal.until(lambda: terminal.program.poll() is not None)
    if terminal.program.poll() is None:
        terminal.program.kill()
    code = terminal.program.wait()
    while terminal.read():
        pass
    flags = termios.tcgetattr(terminal.slave)[3]
    result = {
        "shown": terminal.shown().replace("\r\n", "\n"),
        "raw": terminal.raw.decode("utf-8", "replace"),
        "exit": code_of(code),
        "missing": missing,
        "echoes": bool(flags & termios.ECHO),
        "lines": bool(flags & termios.ICANON) and bool(flags & termios.ISIG),
    }
    json.dump(result, sys.stdout)


main()
