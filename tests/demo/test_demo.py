"""The demo as its users start it: from nothing, killed in the middle, to the end, and again."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from memory import folder
from samlad.kernel.embedded import Embedded


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_demo(home: Path, output: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SAMLAD_")}
    with output.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "samlad.cli", "demo", "--once", "--port", str(free_port())],
            env=environment | {"SAMLAD_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def run_demo(home: Path, output: Path) -> tuple[int, dict[str, object]]:
    code = start_demo(home, output).wait(timeout=280)
    last = output.read_text().strip().splitlines()[-1]
    return code, json.loads(last)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_killed_in_the_middle_ends_right_and_starts_again_at_once() -> None:
    with folder() as own:
        _kill_in_the_middle(own / "var", own / "output.txt")


def _kill_in_the_middle(home: Path, output: Path) -> None:
    first = start_demo(home, output)
    deadline = time.monotonic() + 200
    while "Orders of a year" not in output.read_text(errors="replace"):
        assert first.poll() is None, output.read_text()
        assert time.monotonic() < deadline
        threading.Event().wait(0.2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()

    code, summary = run_demo(home, output)
    said = output.read_text()
    assert code == 0, said
    assert (summary["invoices"], summary["lines"], summary["customers"]) == (25_900, 541_909, 4_372)
    assert summary["revenue"] == "9747747.93"
    assert summary["passed"] is True, said
    assert Embedded(home).pid() is None, "Ctrl-C or the end leaves nothing running"
    assert (home / "demo-sign-in.json").stat().st_mode & 0o077 == 0, (
        "passwords are for the owner of the folder"
    )

    code, again = run_demo(home, output)
    assert code == 0, output.read_text()
    assert again["built"] is False
