#!/usr/bin/env python3
"""Every operation of the scenarios' step kinds, success and refusals, through boto3, against one of three servers.

The endpoint, a region and any credentials come from the environment (AWS_ENDPOINT_URL and so on). What a check expects is what
AWS answers. Where a server is known to differ, `differences.tsv` says so, and who is right; a difference that is not listed
there, and a row that no longer holds, fail the run.
"""

import argparse
import importlib
import sys
import time

import differences
from checks import SCENES, Run
from servers import SERVERS

PARTS = ("pools", "clients", "users", "passwords", "admin", "names", "triggers", "factors", "tables", "items", "stacks", "templates", "roles", "log_groups", "parameters", "queues", "topics", "streams", "apis", "web")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", choices=SERVERS, default="playbook")
    parser.add_argument("--accept", action="store_true", help="write what differs now into the table; who is right is for a person to say")
    parser.add_argument("--verbose", action="store_true", help="show every check")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all that the server has unless given")
    arguments = parser.parse_args()
    server = SERVERS[arguments.server]
    parts = tuple(arguments.parts) or server.parts
    for part in parts:
        importlib.import_module(part)
    run = Run(server)
    started = time.monotonic()
    run.perform(parts)
    if arguments.verbose:
        for result in run.results.values():
            print(f"{'ok     ' if result.same else 'differs'} {result.name}\n" + ("" if result.same else explained(result)), end="")
    complaints = differences.hold(server, parts, run.results, accept=arguments.accept)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    differing = sum(not result.same for result in run.results.values())
    print(f"{len(run.results)} checks in {len(run.scenes)} scenes, {differing} differ as listed, {len(complaints)} complaints")
    print(f"{time.monotonic() - started:.1f} s", file=sys.stderr)
    return 1 if complaints else 0


def explained(result):
    return f"        expected {result.expected}\n        got      {result.got}\n"


if __name__ == "__main__":
    sys.exit(main())
