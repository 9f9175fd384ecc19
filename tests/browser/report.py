"""The page that `--report html=` writes, in a real browser: it is drawn, it asks no network for anything, it works with and
without its script, and no secret is in it.

    python3 tests/browser/report.py PLAYBOOK [CHROMIUM]

What the browser would fetch goes to a proxy that counts, and gets nothing.
"""

import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

LONGEST = 120
CANARY = "canary-of-the-page"
PLAYBOOK = """name: page
description: Everything that a page can show.
inputs: {password: {type: secret, prompt: Password}}
steps:
  - id: group
    name: Create a <b>group</b>
    create-log-group: {log_group_name: "/{{ run.id }}"}
  - print: "{{ inputs.password }} <img src=http://evil.example/x.png> <script src=http://evil.example/x.js></script>"
  - name: Lanes
    parallel:
      steps:
        - pause: 200ms
        - pause: 100ms
  - id: sum
    set: {value: 3}
    assert: result.value == 4
"""


class Counter:
    """A proxy that nobody should need."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            connection.settimeout(2)
            try:
                self.asked.append(connection.recv(200).split(b"\r\n")[0].decode("latin-1"))
            except OSError:
                self.asked.append("nothing")
            connection.close()


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, **options)


def size(png):
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no picture"
    return struct.unpack(">II", data[16:24]), len(data)


def browse(chromium, directory, counter, page, *options):
    profile = tempfile.mkdtemp(dir=directory)
    return run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
         f"--proxy-server=127.0.0.1:{counter.port}", "--proxy-bypass-list=<-loopback>", *options, page.as_uri()],
        cwd=directory,
    )


def main():
    playbook = os.path.abspath(sys.argv[1])
    chromium = sys.argv[2] if len(sys.argv) > 2 else "chromium"
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "playbook.yaml").write_text(PLAYBOOK)
        page = directory / "page.html"
        surroundings = {"PATH": os.environ["PATH"], "HOME": name, "TMPDIR": name, "PLAYBOOK_INPUT_PASSWORD": CANARY}
        made = run(
            [playbook, "run", "playbook.yaml", "--local", "--report", f"html={page}"], cwd=directory, env=surroundings
        )
        assert made.returncode == 1, made.stderr
        text = page.read_text()
        assert CANARY not in text, "a secret is on the page"
        assert len(text) < 200_000, len(text)
        counter = Counter()
        shown = browse(chromium, directory, counter, page, "--dump-dom").stdout
        for part in ["Timeline", "Create a &lt;b&gt;group", "Clean-up of 1 resource", "AWS::Logs::LogGroup", "deleted",
                     "result.value == 4", "logs:CreateLogGroup", "Lanes", 'class="scripted"']:
            assert part in shown, f"{part} is not shown"
        bars = re.findall(r'<i class="(?:span|fault)" style="left:([\d.]+)%;width:([\d.]+)%', shown)
        assert len(bars) >= 6, bars
        assert all(float(left) + float(width) <= 101 for left, width in bars), bars
        bare = directory / "bare.html"
        bare.write_text(re.sub(r"<script>.*?</script>", "", text, flags=re.S))
        dark = ["--blink-settings=preferredColorScheme=0"]
        for look, shows, options in [("light", page, []), ("dark", page, dark), ("scriptless", bare, [])]:
            picture = directory / f"{look}.png"
            browse(chromium, directory, counter, shows, f"--screenshot={picture}", "--window-size=1200,1600", *options)
            (width, height), length = size(picture)
            assert (width, height) == (1200, 1600) and length > 20_000, (look, width, height, length)
            keep = os.environ.get("PLAYBOOK_PICTURES")
            if keep:
                (pathlib.Path(keep) / f"{look}.png").write_bytes(picture.read_bytes())
        foreign = [line for line in counter.asked if "evil.example" in line]
        assert not foreign, foreign
        print(f"the page is drawn; {len(text)} bytes, {len(bars)} bars, {len(counter.asked)} requests of the browser's own")


main()
