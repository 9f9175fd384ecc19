#!/usr/bin/env python3
"""Makes docs/picture.svg: a terminal in which a run of `playbook new first` is seen, as it went on this machine.

    docs/picture.py PLAYBOOK            makes it anew
    docs/picture.py PLAYBOOK --check    says whether a run still looks like it
"""

import argparse
import html
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PICTURE = HERE / "picture.svg"
COMMANDS = ["playbook new first", "playbook run first.yaml --local --no-input"]
STYLE = re.compile(r"\x1b\[([0-9;]*)m")
CLASSES = {"1": "b", "2": "d", "31": "r", "32": "g", "33": "y", "34": "u", "36": "c"}
COLUMNS, LINE, LETTER, MARGIN = 101, 18, 7.83, 16
# What is still to be done at a prompt, and how much slower than life the run is shown.
TYPED, SLOWER = 0.9, 1.6
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"
     aria-label="A terminal: playbook new first, then playbook run first.yaml --local">
<style>
rect {{ fill: #16181d }}
text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dae0; white-space: pre }}
.p {{ fill: #8ab4f8 }} .b {{ font-weight: bold }} .d {{ fill: #8b919c }} .r {{ fill: #ff7b72 }} .g {{ fill: #7ee787 }}
.y {{ fill: #e3b341 }} .u {{ fill: #8ab4f8 }} .c {{ fill: #76d9e6 }}
@media (prefers-reduced-motion: no-preference) {{
  text {{ animation: shown 1ms both }}
}}
@keyframes shown {{ from {{ opacity: 0 }} }}
</style>
<rect width="{width}" height="{height}" rx="8"/>
{lines}
</svg>
"""


def recorded(program):
    """(seconds since the start, line with its colours) of both commands."""
    lines, clock = [], 0.0
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / "playbook").symlink_to(program.resolve())
        (root / "work").mkdir()
        environment = {"PATH": f"{root}{os.pathsep}{os.environ['PATH']}", "HOME": directory,
                       "PLAYBOOK_STATE_DIR": f"{root}/state", "TERM": "xterm-256color"}
        for command in COMMANDS:
            lines.append((clock, f"\x1b[36m$\x1b[0m {command}"))
            clock += TYPED
            start = time.monotonic()
            process = subprocess.Popen(
                [*command.split(), "--color", "always"], cwd=root / "work", env=environment, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for line in process.stdout:
                # How often something is asked again depends on the machine.
                if not STYLE.sub("", line).lstrip().startswith("…"):
                    lines.append((clock + (time.monotonic() - start) * SLOWER, line.rstrip("\n")))
            if process.wait() != 0:
                sys.exit(f"`{command}` failed:\n" + "\n".join(line for _, line in lines))
            clock += (time.monotonic() - start) * SLOWER + TYPED
            lines.append((clock, ""))
    return lines[:-1]


def spans(line):
    """The line's text, in pieces of one style."""
    classes, at = [], 0
    for found in [*STYLE.finditer(line), None]:
        text = line[at:found.start() if found else None]
        if text:
            words = html.escape(text, quote=False)
            yield f'<tspan class="{" ".join(classes)}">{words}</tspan>' if classes else words
        if found:
            codes = found[1].split(";")
            if codes in ([""], ["0"]):
                classes = []
            classes += [CLASSES[code] for code in codes if code in CLASSES]
            at = found.end()


def drawn(lines):
    width = round(COLUMNS * LETTER + 2 * MARGIN)
    rows = []
    for number, (moment, line) in enumerate(lines):
        plain = STYLE.sub("", line)
        if len(plain) > COLUMNS:
            sys.exit(f"a line of {len(plain)} characters does not fit:\n{plain}")
        if plain:
            y = MARGIN + (number + 1) * LINE - 5
            rows.append(f'<text x="{MARGIN}" y="{y}" style="animation-delay:{moment:.2f}s">{"".join(spans(line))}</text>')
    return FRAME.format(width=width, height=2 * MARGIN + len(lines) * LINE, lines="\n".join(rows))


def shown(picture):
    """The lines of a picture, without what is different in every run."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", picture)
    texts = [html.unescape(re.sub(r"<[^>]+>", "", text)) for text in texts]
    return [re.sub(r"-[a-z0-9]{8}\b|run [a-z0-9]{8}|[\d.]+m?s\b|\d+ calls", "…", " ".join(text.split())) for text in texts]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("playbook", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    picture = drawn(recorded(arguments.playbook))
    if not arguments.check:
        PICTURE.write_text(picture, encoding="utf-8")
    elif shown(picture) != shown(PICTURE.read_text(encoding="utf-8")):
        sys.exit(f"a run looks different from docs/picture.svg; run {pathlib.Path(__file__).name}\n" + "\n".join(shown(picture)))


if __name__ == "__main__":
    main()
