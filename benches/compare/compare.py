#!/usr/bin/env python3
"""Compares `playbook` with its neighbours, and prints Markdown tables: compare.py --playbook PROGRAM [--by-hand PROGRAM] [PART...]

PART is scenario, steps, check or serve; all of them unless named. Programs are run as whole processes, in turn, against
one server, so that what else the machine does troubles all of them alike. Beside the time on the clock stands the time
of the processor, which says more on a machine that has other things to do.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = pathlib.Path(sys.prefix) / "bin"
KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
TICKS = os.sysconf("SC_CLK_TCK")


def environment(**more):
    return {"PATH": f"{TOOLS}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", **KEYS, **more}


def measured(command, **more):
    """Seconds on the clock and of the processor, children too, of a command that must succeed."""
    start = time.monotonic()
    process = subprocess.Popen(command, env=environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    written = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - start
    if status != 0:
        sys.exit(f"{command} failed\n{written.decode(errors='replace')}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(command, port, **more):
    """A server until the end of the block: its process id."""
    process = subprocess.Popen(command, env=environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None:
                sys.exit(f"{command} has ended")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def table(title, head, rows):
    print(f"\n**{title}**\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def scenario(arguments):
    """The same scenario by each, in turn."""
    with tempfile.TemporaryDirectory() as room:
        package = os.path.join(room, "code.zip")
        subprocess.run([sys.executable, "-m", "zipfile", "-c", package, str(HERE / "handler.py")], check=True)
        state = os.path.join(room, "state")
        commands = {"playbook": [arguments.playbook, "run", str(HERE / "scenario.yaml"), "--no-input", "--output", "quiet"]}
        if arguments.by_hand:
            commands["SDK for Rust, by hand"] = [arguments.by_hand]
        commands["boto3, by hand"] = [sys.executable, str(HERE / "by_boto3.py")]
        if (TOOLS / "aws").exists():
            commands["AWS CLI, by hand"] = [str(HERE / "by_cli.sh")]
        if (TOOLS / "ansible-playbook").exists():
            commands["Ansible"] = [str(TOOLS / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(HERE / "by_ansible.yaml")]
        for pace in ("none", "fast"):
            port = free_port()
            serve = [arguments.playbook, "serve", "--port", str(port), "--local-pace", pace]
            seen = {name: [] for name in commands}
            with serving(serve, port):
                more = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "PLAYBOOK_STATE_DIR": state, "COMPARE_ZIP": package,
                        "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_PYTHON_INTERPRETER": sys.executable}
                for turn in range(arguments.rounds + 1):
                    for name, command in commands.items():
                        # The slow ones are no less slow for being looked at less often.
                        if name in ("AWS CLI, by hand", "Ansible") and turn > 2:
                            continue
                        result = measured(command, **more)
                        if turn:
                            seen[name].append(result)
            rows = []
            base = median(seen["playbook"], 0)
            for name, results in seen.items():
                clock, processor, memory = (median(results, part) for part in range(3))
                rows.append([name, f"{clock:.2f} s", f"{clock / base:.2f}", f"{processor:.2f} s", f"{memory:.0f} MB"])
            waits = "nothing waits" if pace == "none" else "functions and roles take a moment to be ready"
            table(f"A role, a function, ten invocations, clean-up; {waits} (`--local-pace {pace}`)",
                  ["", "time", "× playbook", "processor", "memory"], rows)


def median(results, part):
    return statistics.median(result[part] for result in results)


def steps(arguments):
    """What a step costs that does nothing."""
    count = 20_000
    with tempfile.TemporaryDirectory() as room:
        results = {}
        for number in (1, count):
            path = pathlib.Path(room) / f"steps-{number}.yaml"
            path.write_text(f"name: steps\nsteps:\n  - for_each: range({number})\n    set: {{n: \"{{{{ item }}}}\"}}\n", encoding="utf-8")
            command = [arguments.playbook, "run", str(path), "--local", "--no-input", "--output", "quiet"]
            results[number] = [measured(command, PLAYBOOK_STATE_DIR=room) for _ in range(3)]
        clock, processor = (median(results[count], part) - median(results[1], part) for part in range(2))
        table("Steps that do nothing", ["steps", "steps per second", "processor per step"],
              [[f"{count:,}", f"{count / clock:,.0f}", f"{processor / count * 1e6:.1f} µs"]])


def check(arguments):
    """A playbook of ten thousand steps."""
    count = 10_000
    with tempfile.TemporaryDirectory() as room:
        path = pathlib.Path(room) / "many.yaml"
        lines = ["name: many", "steps:"]
        for number in range(count // 2):
            lines.append(f"  - id: group_{number}\n    create-log-group: {{log_group_name: \"/many/{{{{ run.id }}}}/{number}\"}}")
            lines.append(f"  - log-events: {{log_group: \"{{{{ steps.group_{number}.log_group_name }}}}\"}}\n    when: not run.local")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        results = [measured([arguments.playbook, "check", str(path)], PLAYBOOK_STATE_DIR=room) for _ in range(5)]
        table("`playbook check` of a large playbook", ["steps", "time", "processor", "memory"],
              [[f"{count:,}", f"{median(results, 0):.2f} s", f"{median(results, 1):.2f} s", f"{median(results, 2):.0f} MB"]])


def request(method, path, service, headers, body):
    """A request as bytes: what makes it must not be what is measured. No key of ours is verified anywhere."""
    scope = f"local/20261130/us-east-1/{service}/aws4_request"
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1",
             f"authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}",
             "x-amz-date: 20261130T000000Z", f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def dynamodb(operation, body):
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
    return request("POST", "/", "dynamodb", headers, json.dumps(body).encode())


def answer(connection):
    """Reads one answer, and returns its status."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def repeated(port, wanted, seconds):
    """Requests in a second, one after the other on one connection."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count, end = 0, time.monotonic() + seconds
    start = time.monotonic()
    while time.monotonic() < end:
        connection.sendall(wanted)
        status = answer(connection)
        if status >= 300:
            sys.exit(f"status {status} of {wanted[:200]!r}")
        count += 1
    connection.close()
    return count, time.monotonic() - start


def family(root):
    """A process and all that descend from it."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def used(root):
    """Seconds of the processor and megabytes, of a server and its functions."""
    seconds = megabytes = 0.0
    for process in family(root):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            seconds += (int(fields[11]) + int(fields[12])) / TICKS
            memory = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
            megabytes += int(re.search(r"^Pss:\s+(\d+)", memory, re.MULTILINE)[1]) / 1024
    return seconds, megabytes


def prepared(port):
    """A table, an item and a function that answers at once."""
    import boto3  # only this part needs it
    endpoint = {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1", "aws_access_key_id": "local",
                "aws_secret_access_key": "local"}
    tables = boto3.client("dynamodb", **endpoint)
    tables.create_table(TableName="compare", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    tables.put_item(TableName="compare", Item={"id": {"S": "a"}, "text": {"S": "x" * 100}})
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = boto3.client("iam", **endpoint).create_role(RoleName="compare", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    sys.path.insert(0, str(HERE))
    functions = boto3.client("lambda", **endpoint)
    with tempfile.TemporaryDirectory() as room:
        package = os.path.join(room, "code.zip")
        subprocess.run([sys.executable, "-m", "zipfile", "-c", package, str(HERE / "handler.py")], check=True)
        code = pathlib.Path(package).read_bytes()
    functions.create_function(FunctionName="compare", Runtime="python3.13", Handler="handler.handler", Role=role, Code={"ZipFile": code})
    functions.get_waiter("function_active_v2").wait(FunctionName="compare", WaiterConfig={"Delay": 1})
    functions.invoke(FunctionName="compare", Payload='{"number": 1}')


def serve(arguments):
    """Servers, one after the other, each asked the same."""
    item = {"TableName": "compare", "Item": {"id": {"S": "a"}, "text": {"S": "x" * 100}}}
    requests = {
        "PutItem": dynamodb("PutItem", item),
        "GetItem": dynamodb("GetItem", {"TableName": "compare", "Key": {"id": {"S": "a"}}}),
        "Invoke": request("POST", "/2015-03-31/functions/compare/invocations", "lambda", {"content-type": "application/json"},
                          b'{"number": 41}'),
    }
    ports = [free_port() for _ in range(3)]
    servers = {"playbook serve": ([arguments.playbook, "serve", "--port", str(ports[0]), "--local-pace", "none"], {})}
    if (TOOLS / "moto_server").exists():
        config = HERE / "moto.json"
        servers["moto (which echoes, and runs no function)"] = (
            [str(TOOLS / "moto_server"), "-H", "127.0.0.1", "-p", str(ports[1])],
            {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_LAMBDA_CONFIG": str(config)})
    ministack = pathlib.Path(sys.prefix) / "ministack" / "bin" / "ministack"
    if ministack.exists():
        servers["ministack"] = ([str(ministack)], {"GATEWAY_PORT": str(ports[2])})
    rows = []
    for (name, (command, more)), port in zip(servers.items(), ports):
        with serving(command, port, **more) as root:
            if "moto" in name:
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("POST", "/moto-api/config", json.dumps({"lambda": {"use_docker": False}}))
                connection.getresponse().read()
            prepared(port)
            row = [name]
            for wanted in requests.values():
                repeated(port, wanted, 0.5)
                before, _ = used(root)
                count, took = repeated(port, wanted, arguments.seconds)
                after, memory = used(root)
                row.append(f"{count / took:,.0f} ({(after - before) / count * 1e6:,.0f} µs)")
            rows.append([*row, f"{memory:.0f} MB"])
    table("Requests in a second on one connection, and processor time of the server for each",
          ["", *requests, "memory afterwards, functions too"], rows)


def main():
    parts = {"scenario": scenario, "steps": steps, "check": check, "serve": serve}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--playbook", required=True)
    parser.add_argument("--by-hand", help="the scenario on the SDK: `cargo build --release --bench by_hand`")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("parts", nargs="*", default=list(parts), metavar="PART")
    arguments = parser.parse_args()
    arguments.playbook = shutil.which(arguments.playbook) or sys.exit(f"there is no {arguments.playbook}")
    cores, (load, _, _) = os.cpu_count(), os.getloadavg()
    print(f"{platform.machine()}, {cores} cores, load {load:.1f} at the start; medians.")
    for part in arguments.parts:
        parts[part](arguments)


if __name__ == "__main__":
    main()
