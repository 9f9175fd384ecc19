"""The guarantee against servers that nobody here wrote: seeded trials through a proxy that misbehaves. See README.md."""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import faults
from proxy import Proxy
from servers import SERVERS, bound_to_parent
from trial import BROKEN, FAILURES, HELD, LEFT, LISTED, NEEDLESS, TOUCHED, Plan, Stage

VERDICTS = (HELD, LISTED, NEEDLESS, LEFT, TOUCHED, BROKEN)
ALL = "all"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, type=Path, help="the program, built")
    parser.add_argument("--trials", type=int, default=100, help="how many for each server")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others count on from there")
    parser.add_argument("--server", choices=sorted(SERVERS), action="append", help="may be repeated; all unless given")
    parser.add_argument("--fault", choices=faults.NAMES, help="this one alone, instead of one after the other")
    parser.add_argument("--playbook", default="", help="this one alone, instead of any by chance")
    parser.add_argument("--jobs", type=int, default=2, help="how many trials at a time")
    parser.add_argument("--log", type=Path, help="write every trial there, as a line of JSON")
    parser.add_argument("--verbose", action="store_true", help="tell what happened in every trial, not only in broken ones")
    return parser.parse_args()


def plans(options):
    order = list(faults.NAMES)
    random.Random(0).shuffle(order)
    for seed in range(options.seed, options.seed + options.trials):
        for number, server in enumerate(options.server or SERVERS):
            # Another server's trials begin elsewhere, so that a few for each meet every fault at some server.
            fault = options.fault or order[(seed + number * len(order) // len(SERVERS)) % len(order)]
            yield Plan(server, fault, seed, options.playbook)


def work(options, home, tasks, results):
    """A process that takes trials until there are no more, with servers of its own."""
    bound_to_parent()
    stages, proxy = {}, Proxy()
    try:
        while (plan := tasks.get()) is not None:
            if plan.server not in stages:
                place = home / plan.server
                server = SERVERS[plan.server](place, options.program)
                stages[plan.server] = Stage(server, proxy, options.program, place)
            results.put(stages[plan.server].carry_out(plan))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # noqa: BLE001 - told by the process that is waiting
        results.put(error)
    finally:
        for stage in stages.values():
            stage.server.stop()
        results.put(None)


def carried_out(options, home):
    tasks, results = multiprocessing.Queue(), multiprocessing.Queue()
    for plan in plans(options):
        tasks.put(plan)
    workers = []
    for number in range(options.jobs):
        tasks.put(None)
        arguments_ = (options, home / str(number), tasks, results)
        workers.append(multiprocessing.Process(target=work, args=arguments_, daemon=True))
        workers[-1].start()
    running = len(workers)
    while running:
        outcome = results.get()
        if outcome is None:
            running -= 1
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            yield outcome
    for worker in workers:
        worker.join()


def again(outcome):
    plan = outcome.plan
    return f"tests/adversary/run --server {plan.server} --fault {plan.fault} --playbook {plan.playbook} --seed {plan.seed} --trials 1 --verbose"


def tell(outcome, whole):
    plan = outcome.plan
    unmet = "" if outcome.reached else " (never reached)"
    print(f"{outcome.verdict.upper()}{unmet}: {plan.server}, {plan.fault}, {plan.playbook}, seed {plan.seed}, {outcome.seconds:.1f} s", flush=True)
    if not whole:
        return
    for title, lines in (("struck", outcome.strikes), ("why", outcome.why), ("exit codes", outcome.exits), ("requests", outcome.story)):
        print(f"  {title}:")
        for line in lines:
            print(f"    {line}")
    print(f"  again: {again(outcome)}", flush=True)


def table(outcomes):
    """Per server and fault, how often what."""
    print(f"\n{'server':10} {'fault':22} {'trials':>6} " + " ".join(f"{verdict:>17}" for verdict in VERDICTS) + f" {'not reached':>12}")
    rows = {}
    for outcome in outcomes:
        for fault in (outcome.plan.fault, ALL):
            row = rows.setdefault((outcome.plan.server, fault), Counter())
            row[outcome.verdict] += 1
            row["not reached"] += not outcome.reached
            row["trials"] += 1
    order = {name: number for number, name in enumerate((*faults.NAMES, ALL))}
    for (server, fault), row in sorted(rows.items(), key=lambda row: (row[0][0], order[row[0][1]])):
        print(f"{server:10} {fault:22} {row['trials']:6} " + " ".join(f"{row[verdict]:17}" for verdict in VERDICTS) + f" {row['not reached']:12}")


def main():
    options = arguments()
    options.program = options.program.resolve()
    started, outcomes = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="adversary-") as home:
        for outcome in carried_out(options, Path(home)):
            outcomes.append(outcome)
            failed = outcome.verdict in FAILURES
            if failed or options.verbose:
                tell(outcome, whole=True)
            if options.log:
                with open(options.log, "a", encoding="utf-8") as log:
                    log.write(json.dumps({**vars(outcome), "plan": vars(outcome.plan), "again": again(outcome)}) + "\n")
    table(outcomes)
    failures = Counter(outcome.verdict for outcome in outcomes if outcome.verdict in FAILURES)
    told = ", ".join(f"{count} {name}" for name, count in failures.items()) or "nothing left unlisted, nothing touched"
    print(f"\n{len(outcomes)} trials in {time.monotonic() - started:.0f} s: {told}")
    return 1 if failures or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
