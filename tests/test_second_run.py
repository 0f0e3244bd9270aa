"""A test that fails has a second run, which is told of; a property and what looks for rare faults have none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import flaky

TESTS = """
import pytest
from hypothesis import given, strategies

runs = {"open": [], "opened": 0}


@pytest.fixture
def page():
    runs["opened"] += 1
    yield runs["opened"]
    runs["open"].append("closed")


def test_lost_a_click(page):
    assert page == 2, "the click was lost"
    assert runs["open"] == ["closed"]


def test_is_broken(page):
    assert page == 0


@given(strategies.integers(0, 1))
def test_is_a_property(number):
    runs["property"] = runs.get("property", 0) + 1
    assert runs["property"] > 3


def test_is_fine(page):
    pass
"""

RARE = """
runs = []


def test_finds_something_rare():
    runs.append(1)
    assert len(runs) == 2
"""

MANY = """
import pytest

runs = set()


@pytest.mark.parametrize("number", range(COUNT))
def test_waits_too_short(number):
    if number not in runs:
        runs.add(number)
        raise AssertionError
"""


def _run(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "flaky", "-p", "xdist.plugin", "-q", *arguments]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    for name in [each for each in environment if each.startswith("PYTEST_XDIST")]:
        del environment[name]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_what_fails_by_chance_has_a_second_run_and_it_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_pages.py").write_text(TESTS)
    (tmp_path / flaky.RARE).mkdir()
    (tmp_path / flaky.RARE / "test_race.py").write_text(RARE)
    code, said = _run(tmp_path, "-n", "1")
    assert code == 1
    assert "3 failed, 2 passed" in said, said
    assert "FAILED test_pages.py::test_is_broken" in said
    assert "FAILED test_pages.py::test_is_a_property" in said
    assert "FAILED heavy/test_race.py::test_finds_something_rare" in said
    assert "!! flaky !!" in said
    assert "FLAKY test_pages.py::test_lost_a_click: " in said
    assert said.count("FLAKY ") == 1
    kept = (tmp_path / "var/flaky.txt").read_text()
    assert kept.startswith("test_pages.py::test_lost_a_click\n")
    assert "the click was lost" in kept
    assert "test_is_broken" not in kept

    code, said = _run(tmp_path, "-k", "test_is_fine")
    assert code == 0
    assert "flaky" not in said
    assert not (tmp_path / "var/flaky.txt").exists()


@pytest.mark.parametrize(("count", "code"), [(flaky.MOST, 0), (flaky.MOST + 1, 1)])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_many_that_fail_by_chance_fail_the_run(tmp_path: Path, count: int, code: int, workers: str) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_pages.py").write_text(MANY.replace("COUNT", str(count)))
    ended, said = _run(tmp_path, "-n", workers)
    assert said.count("FLAKY ") == count, said
    assert ended == code
