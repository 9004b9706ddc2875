"""Every command of the README is run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mapserver.process import ROOT

README = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "etl/README.md"))
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
SERVES = ("onemap serve", "onemap up", "onemap work")


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make")])
def test_a_make_target_of_the_readme_exists(line):
    done = subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_readme_do_what_they_say_in_their_order(toronto):
    commands = [line for line in LINES if not line.startswith(("make", *SERVES))]
    assert len(commands) > 10
    script = "set -eu\n" + "\n".join(
        f"echo '>>>'\n{line} {'--fail' if line.startswith('curl') else ''}" for line in commands
    )
    script = script.replace("http://127.0.0.1:8360", toronto.url)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, **toronto.env, "PATH": path, "ONEMAP_PUSH__SMTP_URL": "smtp://mail.example"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    answers = done.stdout.split(">>>")[1:]
    assert len(answers) == len(commands)
    for line, answer in zip(commands, answers, strict=True):
        if line.startswith("curl"):
            assert len(answer.strip()) > 20, line
