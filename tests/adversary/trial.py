"""One trial: somebody else's things, a run that something happens to, the clean-up, and a look at what is there."""

import json
import random
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import faults
import inventory
from foreign import Somebody, plant
from servers import bound_to_parent, environment
from wire import READS

PLAYBOOKS = Path(__file__).resolve().parent / "playbooks"
LONGEST_RUN = 150
LONGEST_CLEANUP = 90
MOST_CLEANUPS = 6
MOST_PLAYS = 3
PATIENCE = ("--attempt-timeout", f"{faults.ATTEMPT}s", "--cleanup-timeout", "10s")
REMAINS = 3
# Resources that go with what they are in.
HOLDERS = {
    "AWS::IAM::RolePolicy": "AWS::IAM::Role",
    "AWS::IAM::RolePolicyAttachment": "AWS::IAM::Role",
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    "AWS::S3::Object": "AWS::S3::Bucket",
    "AWS::DynamoDB::Item": "AWS::DynamoDB::Table",
    "AWS::Cognito::UserPoolClient": "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolUser": "AWS::Cognito::UserPool",
}
HELD, LISTED, NEEDLESS, LEFT, TOUCHED, BROKEN = "held", "listed", "listed needlessly", "left", "touched", "broken"
FAILURES = (LEFT, TOUCHED, BROKEN)


@dataclass
class Plan:
    """What a seed makes of a server and a fault."""

    server: str
    fault: str
    seed: int
    playbook: str = ""


@dataclass
class Outcome:
    """What came of a trial."""

    plan: Plan
    verdict: str = HELD
    why: list = field(default_factory=list)
    strikes: list = field(default_factory=list)
    reached: bool = True
    exits: list = field(default_factory=list)
    story: list = field(default_factory=list)
    seconds: float = 0.0


class Ended:
    """How a process of the program ended."""

    def __init__(self, code, output, errors):
        self.code, self.output, self.errors = code, output, errors

    @property
    def killed(self):
        return self.code < 0

    def events(self):
        for line in self.output.splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                pass  # the last line of a process that was killed

    def remaining(self):
        return [left for event in self.events() if event.get("event") == "run-finished" for left in event["remaining"]]


class Second:
    """A second run, where there is one. It begins in a thread that ends before it does, and is waited for."""

    def __init__(self, start):
        self.start, self.process = start, None

    def __call__(self):
        self.process = self.start()
        return self.process

    def wait(self, outcome):
        if self.process:
            ended_in_time(self.process, LONGEST_RUN, "second run", outcome)
            outcome.exits.append(f"second run: {self.process.returncode}")


def ended_in_time(process, longest, phase, outcome):
    try:
        process.wait(longest)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        outcome.why.append(f"the {phase} took longer than {longest} s and was killed")


class Stage:
    """A server, a proxy in front of it, and a directory; one trial after the other."""

    def __init__(self, server, proxy, program, home):
        self.server, self.proxy, self.program, self.home = server, proxy, program, home
        self.calls = {}
        self.aws = inventory.clients(server.url)

    def variables(self, state):
        return environment(self.home, PLAYBOOK_STATE_DIR=str(state), NO_COLOR="1")

    def dry_run(self, playbook):
        """The calls that a playbook makes, in order."""
        if playbook not in self.calls:
            inputs = [f"--input={name}=us-east-1_theirs" for name in self.inputs_of(playbook)]
            command = [self.program, "run", PLAYBOOKS / f"{playbook}.yaml", "--dry-run", "--no-input", "--output", "json", *inputs]
            done = subprocess.run(command, env=self.variables(self.home / "dry"), capture_output=True, text=True, timeout=60, check=False)
            if done.returncode:
                raise RuntimeError(f"{playbook} has no dry run: {done.stderr}")
            self.calls[playbook] = list(called(done.stdout))
            if not any(call["changes"] for call in self.calls[playbook]):
                raise RuntimeError(f"the dry run of {playbook} tells of no call that changes anything: {done.stdout[:500]}")
        return self.calls[playbook]

    @staticmethod
    def inputs_of(playbook):
        text = (PLAYBOOKS / f"{playbook}.yaml").read_text(encoding="utf-8")
        line = next((line for line in text.splitlines() if line.startswith("inputs: {")), "")
        return [part.split(":")[0].strip() for part in line.removeprefix("inputs: {").split(",") if ":" in part]

    def carry_out(self, plan):
        started = time.monotonic()
        chance = random.Random(f"{plan.seed} {plan.fault}")
        names = sorted(path.stem for path in PLAYBOOKS.glob("*.yaml"))
        unconditional = (*faults.UNCONDITIONAL, *self.server.unconditional)
        fitting = [name for name in names if faults.fits(plan.fault, self.dry_run(name), unconditional)]
        # Drawn also where it is given, so that all else is drawn as it was.
        by_chance = chance.choice(fitting)
        plan.playbook = plan.playbook or by_chance
        outcome = Outcome(plan)
        strikes = faults.drawn(chance, plan.fault, self.dry_run(plan.playbook), unconditional)
        outcome.strikes = [str(strike) for strike in strikes]
        try:
            for _ in range(MOST_PLAYS):
                outcome.verdict, outcome.why, outcome.exits = HELD, [], []
                self.play(plan, strikes, outcome)
                if not self.proxy.slow:
                    break
        except Exception as error:  # noqa: BLE001 - whatever it is, the other trials go on
            outcome.verdict = BROKEN
            outcome.why.append(f"{type(error).__name__}: {error}")
        outcome.story = [str(seen) for seen in self.proxy.passed]
        outcome.seconds = time.monotonic() - started
        return outcome

    def play(self, plan, strikes, outcome):
        self.server.reset()
        given = plant(self.aws)
        before = inventory.inventory(self.aws)
        somebody = Somebody(self.aws)
        state = self.home / "state"
        shutil.rmtree(state, ignore_errors=True)
        second = Second(lambda: self.started(self.run_command(plan, given), state, self.home / "second", bound=None))
        self.proxy.begin(self.server.port, strikes, somebody, self.server.mended(self.aws), second)
        last, listed = self.run_and_clean_up(plan, given, state, second, outcome)
        self.proxy.settle(faults.ATTEMPT + 10)
        after = inventory.inventory(self.aws)
        outcome.reached = bool(self.proxy.struck) or not strikes
        if self.proxy.troubles or somebody.failed:
            outcome.why += self.proxy.troubles + somebody.failed
        judge(outcome, before, somebody.theirs, after, last, listed)

    def run_command(self, plan, given):
        wanted = self.inputs_of(plan.playbook)
        inputs = [f"--input={name}={value}" for name, value in given.items() if name in wanted]
        playbook = str(PLAYBOOKS / f"{plan.playbook}.yaml")
        return ["run", playbook, "--endpoint-url", self.proxy.url, "--no-input", "--yes", *PATIENCE, "--output", "json", *inputs]

    def run_and_clean_up(self, plan, given, state, second, outcome):
        last = self.program_run("run", self.run_command(plan, given), state, LONGEST_RUN, outcome)
        second.wait(outcome)
        if plan.fault == "none" and last.code:
            raise RuntimeError(f"a run that nothing happens to fails: {last.output[-2000:]} {last.errors}")
        earlier = None
        for number in range(1, MOST_CLEANUPS + 1):
            if number > 1 and not last.killed and (last.code != REMAINS or earlier == REMAINS):
                break
            earlier = last.code
            command = ["cleanup", "--all", *PATIENCE, "--output", "json"]
            last = self.program_run(f"clean-up {number}", command, state, LONGEST_CLEANUP, outcome)
        return last, last.remaining() + self.runs(state)

    def started(self, arguments, state, place, bound=bound_to_parent):
        """A process of the program, and whatever it writes in files of that name."""
        with open(place.with_suffix(".out"), "wb") as out, open(place.with_suffix(".err"), "wb") as err:
            return subprocess.Popen(
                [self.program, *arguments],
                env=self.variables(state),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=bound,
            )

    def program_run(self, phase, arguments, state, longest, outcome):
        place = self.home / "program"
        process = self.started(arguments, state, place)
        self.proxy.enter(phase, process)
        ended_in_time(process, longest, phase, outcome)
        output, errors = (place.with_suffix(suffix).read_text("utf-8", "replace") for suffix in (".out", ".err"))
        ended = Ended(process.returncode, output, errors)
        outcome.exits.append(f"{phase}: {ended.code}")
        for event in ended.events():
            if event.get("event") == "undo-finished" and event.get("reason"):
                reason = event["reason"].get("message") or event["reason"].get("text") or event["reason"]["why"]
                outcome.exits.append(f"  {event['status']} {event['owner']['type']} {event['owner']['name']}: {reason[:160]}")
        return ended

    def runs(self, state):
        """What `playbook runs` lists as still there."""
        command = [self.program, "runs", "--output", "json"]
        done = subprocess.run(command, env=self.variables(state), capture_output=True, text=True, timeout=60, check=True)
        return [left for run in json.loads(done.stdout or "[]") for left in run["left"]]


def called(output):
    cleaning = False
    for line in output.splitlines():
        event = json.loads(line)
        cleaning = cleaning or event["event"] == "cleanup-started"
        if event["event"] == "called":
            operation = event["operation"]
            yield {"service": event["service"], "operation": operation, "changes": not READS.match(operation), "cleanup": cleaning}


def judge(outcome, before, theirs, after, last, listed):
    """Compares what is there with what should be, and with what the program says."""
    should = {**before, **theirs}
    for thing in theirs:
        # What somebody has put into the run's own goes with that; what is in a bucket keeps it.
        holder = HOLDERS.get(thing.type)
        if holder and thing.type != "AWS::S3::Object" and not any(other.type == holder and other.name == thing.within for other in should):
            should.pop(thing)
    kept = last.code == REMAINS
    verdicts = {LISTED} if kept and listed else {HELD}
    there = False
    for thing, picture in after.items():
        if should.get(thing) == picture:
            continue
        there = True
        named = is_listed(thing, picture, listed) and kept
        what = "has changed" if thing in should else "is there"
        if not named:
            verdicts.add(TOUCHED if thing in should else LEFT)
        outcome.why.append(f"{thing} {what}, {'and is listed' if named else 'and is NOT listed'}: {json.dumps(picture)[:200]}")
        if thing in should:
            outcome.why.append(f"  it was {json.dumps(should[thing])[:200]}")
    for thing in should:
        if thing not in after:
            verdicts.add(TOUCHED)
            outcome.why.append(f"{thing} is gone; it was somebody else's")
    if kept and not listed:
        verdicts.add(BROKEN)
        outcome.why.append("the exit code says that something remains, and nothing is listed")
    if last.killed or last.code not in (0, REMAINS):
        verdicts.add(BROKEN)
        outcome.why.append(f"the clean-up did not come to an end: exit code {last.code}: {last.errors[-300:]}")
    if verdicts == {LISTED} and not there:
        verdicts = {NEEDLESS}
        outcome.why += [f"listed, and not there: {left['type']} {left['name']}" for left in listed]
    outcome.verdict = next(verdict for verdict in (TOUCHED, LEFT, BROKEN, NEEDLESS, LISTED, HELD) if verdict in verdicts)


def is_listed(thing, picture, listed):
    """Whether one of those that are listed is this, or what it is in: a stack's things bear its name."""
    names = {thing.name}
    if isinstance(picture, dict) and isinstance(picture.get("Name"), str):
        names.add(picture["Name"])
    for left in listed:
        said = f"{left['name']} {left.get('arn') or ''}"
        if left["type"] == HOLDERS.get(thing.type) and thing.within in said:
            return True
        if any(name in said for name in names) and thing.within in said:
            return True
        if left["type"] == "AWS::CloudFormation::Stack" and left["name"] in thing.name:
            return True
        # Several items are listed as so many.
        if left["type"] == thing.type == "AWS::DynamoDB::Item" and f"items of {thing.within}" in said:
            return True
    return False
