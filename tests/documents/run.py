#!/usr/bin/env python3
"""Runs the commands that the documentation shows: run.py --playbook PROGRAM DOCUMENT...

Each document has an empty directory of its own, and its blocks are done there in the order in which they stand:

    ```yaml orders.yaml          written to that file; any language
    ```yaml append=orders.yaml   written at its end
    ```sh                        run by bash, line by line until one fails
    ```sh exit=2                 the same, and must end so
    ```sh in=repository          run in the repository; `cargo run --` is the program that is there already
    ```sh needs=aws              run where that program is installed
    ```sh aws                    goes to AWS or to a registry: only the options of `playbook` are looked at
    ```console                   the lines after `$ ` are run, and what stands below each must be in what comes out, in
                                 this order. `…` stands for lines that are left out; ids, times and counts may differ

Nothing may be left afterwards: no run that did not finish, no process.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What differs from run to run, and from machine to machine.
VARIES = [
    (re.compile(r"\b\d+(\.\d+)?(ms|s)\b|\b\d+m \d\ds\b"), "TIME"),
    (re.compile(r"\b\d+ calls\b"), "N calls"),
    (re.compile(r"\b\d+ bytes, sha256 \S+"), "DIGEST"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?"), "MOMENT"),
]
RUN = re.compile(r"\b(?=[a-z0-9]{8}\b)(?=[a-z0-9]*\d)[a-z][a-z0-9]{7}\b|(?<=-)[a-z0-9]{8}\b|(?<= run )[a-z0-9]{8}\b")
COMMAND = re.compile(r"(?:^|&& |\| |\$\()(?:cargo run -- |playbook )([a-z]+)([^|&;\n]*)", re.MULTILINE)
LONGEST = 120


class Wrong(Exception):
    """What a document says is not so."""


def plain(line):
    for pattern, instead in VARIES:
        line = pattern.sub(instead, line)
    return " ".join(RUN.sub("RUN", line).split())


class Room:
    """An empty directory, and what a person's shell would have there."""

    def __init__(self, program, repository):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="documents-"))
        self.repository = repository
        for name in ("work", "home", "state", "tmp", "bin"):
            (self.root / name).mkdir()
        (self.root / "bin" / "playbook").symlink_to(program)
        path = [str(self.root / "bin"), os.environ["PATH"]]
        if environment := os.environ.get("PLAYBOOK_TEST_VENV"):
            path.insert(1, str(pathlib.Path(environment) / "bin"))
        self.environment = {
            "PATH": os.pathsep.join(path),
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "PLAYBOOK_STATE_DIR": str(self.root / "state"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        self.helps = {}

    def has(self, program):
        return shutil.which(program, path=self.environment["PATH"]) is not None

    def run(self, script, directory=None):
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=directory or self.root / "work", env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            written, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Wrong(f"does not end:\n{script}\n{process.communicate()[0]}") from None
        return subprocess.CompletedProcess(script, process.returncode, written)

    def help(self, command):
        if command not in self.helps:
            outcome = self.run(f"playbook {command} --help")
            if outcome.returncode != 0:
                raise Wrong(f"there is no `playbook {command}`")
            self.helps[command] = outcome.stdout
        return self.helps[command]

    def left(self):
        outcome = self.run("playbook runs --output json")
        return [] if outcome.stdout.strip() in ("", "[]") else re.findall(r'"state":\s*"(?!finished)[^"]*"', outcome.stdout)


def options(room, script):
    """Every option of `playbook` that the script uses is there."""
    for command, arguments in COMMAND.findall(script.replace("\\\n", " ")):
        text = room.help(command)
        for option in re.findall(r"(?<=\s)--[a-z][-a-z]*", arguments):
            if option not in text:
                raise Wrong(f"`playbook {command}` has no {option}")


def shell(room, words, script):
    wanted, directory = 0, None
    for word in words:
        name, _, value = word.partition("=")
        if name == "aws":
            options(room, script)
            return
        if name == "needs" and not room.has(value):
            print(f"  skipped: {value} is not installed")
            return
        if name == "exit":
            wanted = int(value)
        if word == "in=repository":
            directory = room.repository
    options(room, script)
    outcome = room.run(script.replace("cargo run --", "playbook"), directory)
    if outcome.returncode != wanted:
        raise Wrong(f"exit code {outcome.returncode}, not {wanted}, of\n{script}\n{outcome.stdout}")


def console(room, text):
    command, shown = None, []
    for line in [*text.splitlines(), "$ true"]:
        if not line.startswith("$ "):
            shown.append(line)
            continue
        if command:
            compare(command, shown, room.run(command).stdout)
        command, shown = line[2:], []
        options(room, command)


def compare(command, shown, written):
    rest = [plain(line) for line in written.splitlines()]
    # What goes to stdout and what goes to stderr need not come in the order of a terminal.
    for line in shown:
        if line.strip() in ("", "…"):
            continue
        if plain(line) not in rest:
            raise Wrong(f"`{command}` does not write\n{line}\nbut\n{written}")
        rest.remove(plain(line))


def document(path, program, repository):
    room = Room(program, repository)
    count = 0
    try:
        for found in BLOCK.finditer(path.read_text(encoding="utf-8")):
            language, words, text = found[1], found[2].split(), found[3]
            count += 1
            if language == "sh":
                shell(room, words, text)
            elif language == "console":
                console(room, text)
            elif words and words[0].startswith("append="):
                with open(room.root / "work" / words[0].removeprefix("append="), "a", encoding="utf-8") as file:
                    file.write(text)
            elif words:
                file = room.root / "work" / words[0]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            else:
                count -= 1
        if left := room.left():
            raise Wrong(f"runs are left: {left}")
    except Wrong as error:
        raise Wrong(f"{path}, block {count}: {error}") from None
    shutil.rmtree(room.root, ignore_errors=True)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--playbook", required=True, type=pathlib.Path)
    parser.add_argument("documents", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    repository = pathlib.Path(__file__).resolve().parents[2]
    failures = 0
    for path in arguments.documents:
        try:
            count = document(path, arguments.playbook.resolve(), repository)
            print(f"{path}: {count} blocks")
        except Wrong as wrong:
            failures += 1
            print(wrong, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
