import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from samlad.kernel.priority import give_way

AUTOGROUPS = Path("/proc/self/autogroup").exists()


@pytest.fixture
def sleeper(request: pytest.FixtureRequest) -> Iterator[int]:
    """A process that waits for its end; in a session of its own when the test says so."""
    own = bool(getattr(request, "param", False))
    wait = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    process = subprocess.Popen(wait, stdin=subprocess.PIPE, start_new_session=own)
    try:
        yield process.pid
    finally:
        process.communicate()


@pytest.mark.parametrize("sleeper", [True], indirect=True)
def test_who_leads_a_session_gives_way_with_it(sleeper: int) -> None:
    give_way(sleeper, 7)
    assert os.getpriority(os.PRIO_PROCESS, sleeper) == 7
    if AUTOGROUPS:
        assert Path(f"/proc/{sleeper}/autogroup").read_text().split()[1:] == ["nice", "7"]


def test_the_session_of_others_stays_as_it_is(sleeper: int) -> None:
    give_way(sleeper, 7)
    assert os.getpriority(os.PRIO_PROCESS, sleeper) == 7
    if AUTOGROUPS:
        assert Path(f"/proc/{sleeper}/autogroup").read_text() == Path("/proc/self/autogroup").read_text()


def test_who_is_gone_is_no_trouble(sleeper: int) -> None:
    give_way(2**22 + 1, 7)  # more than Linux gives
    give_way(sleeper, 0)
    assert os.getpriority(os.PRIO_PROCESS, sleeper) == os.getpriority(os.PRIO_PROCESS, 0)
