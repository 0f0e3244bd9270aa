"""The embedded PostgreSQL: shared by the programs of a folder, clear about what is in its way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from samlad.kernel.embedded import Embedded, EmbeddedProblem

HOLD = """
import sys
from pathlib import Path
from samlad.kernel.embedded import Embedded
with Embedded(Path(sys.argv[1]), durable=False) as server:
    print(server.pid(), flush=True)
    sys.stdin.readline()
"""


def holder(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def pid_of(program: subprocess.Popen[str]) -> int:
    assert program.stdout is not None
    return int(program.stdout.readline())


def leave(program: subprocess.Popen[str]) -> None:
    program.communicate("\n", timeout=60)


def test_programs_of_one_folder_share_a_server_and_the_last_one_stops_it(tmp_path: Path) -> None:
    server = Embedded(tmp_path, durable=False)
    first, second, third = holder(tmp_path), holder(tmp_path), holder(tmp_path)
    pids = {pid_of(program) for program in (first, second, third)}
    assert len(pids) == 1, "they started at the same moment and yet share one"
    leave(first)
    assert server.pid() in pids
    second.kill()
    second.communicate()
    assert server.pid() in pids
    leave(third)
    assert server.pid() is None
    assert not server.socket_dir.exists()


def test_a_killed_program_and_a_killed_server_leave_nothing_stale(tmp_path: Path) -> None:
    program = holder(tmp_path)
    old = pid_of(program)
    program.kill()
    program.communicate()
    os.kill(old, signal.SIGKILL)
    with Embedded(tmp_path, durable=False) as server:
        assert server.pid() not in (None, old)
    assert server.pid() is None


def test_an_initdb_that_was_killed_half_way_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").touch()
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "half").touch()
    with Embedded(tmp_path, durable=False) as server:
        assert server.pid() is not None
    assert not (tmp_path / "postgres" / "half").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "photo.jpg").write_text("precious")
    with pytest.raises(EmbeddedProblem, match="Move it away"):
        Embedded(tmp_path, durable=False).start()
    assert (tmp_path / "postgres" / "photo.jpg").read_text() == "precious"


def test_a_home_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # root may write everywhere, but not below a file
    with pytest.raises(EmbeddedProblem, match=r"cannot be written.*Set SAMLAD_HOME"):
        Embedded(tmp_path / "file" / "home").start()


def test_data_of_another_version_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedProblem, match="made by PostgreSQL 12"):
        Embedded(tmp_path, durable=False).start()
