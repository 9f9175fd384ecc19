"""A JUnit report as Markdown on stdout, and its failures as commands to GitHub's runner on stderr, beside their lines."""

import re
import sys
import xml.etree.ElementTree as ElementTree

PLACE = re.compile(r"--> (.+):(\d+):(\d+)\s*$", re.MULTILINE)
ENDS = {
    "0": "passed", "1": "a step failed; everything was cleaned up", "2": "refused; nothing was changed",
    "3": "**resources remain**: the log lists them", "4": "not everything could be written",
}


def cell(text):
    """Text that can be no markup: a name may come from anywhere."""
    text = re.sub(r"([\\`*_{}\[\]<>()#+!|~-])", r"\\\1", " ".join(text.split()))
    return text.replace("@", "@\u200b")


def command(text, attribute=False):
    """Text that can be no command: the runner's own escapes."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if attribute else text


def annotation(case, failure):
    text = failure.text or ""
    place = PLACE.search(text)
    attributes = {"title": f"{case.get('name')}: {failure.get('type') or 'failed'}"}
    if place:
        attributes = {"file": place[1], "line": place[2], "col": place[3], **attributes}
    said = ",".join(f"{name}={command(value, attribute=True)}" for name, value in attributes.items())
    return f"::error {said}::{command(failure.get('message') or text)}"


def main():
    suites = ElementTree.parse(sys.argv[1]).getroot()
    print(f"## playbook: {ENDS.get(sys.argv[2], f'interrupted, exit code {sys.argv[2]}')}\n")
    print("| playbook | step | | seconds |\n|---|---|---|---|")
    for suite in suites.iter("testsuite"):
        for case in suite.iter("testcase"):
            failures = [*case.iter("failure"), *case.iter("error")]
            skipped = case.find("skipped") is not None
            state = "❌" if failures else "skipped" if skipped else "✅"
            print(f"| {cell(suite.get('name', ''))} | {cell(case.get('name', ''))} | {state} | {case.get('time', '')} |")
            for failure in failures:
                print(f"| | {cell(failure.get('message') or '')} | {cell(failure.get('type') or '')} | |")
                print(annotation(case, failure), file=sys.stderr)


main()
