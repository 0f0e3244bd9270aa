"""A browser test that fails has a second run, which is told of; nothing else has."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest

runs = {"open": [], "opened": 0}


@pytest.fixture
def page():
    runs["opened"] += 1
    yield runs["opened"]
    runs["open"].append("closed")


@pytest.mark.browser
def test_lost_a_click(page):
    assert page == 2, "the click was lost"
    assert runs["open"] == ["closed"]


@pytest.mark.browser
def test_is_broken(page):
    assert page == 0


def test_without_a_browser():
    runs["plain"] = runs.get("plain", 0) + 1
    assert runs["plain"] == 2


@pytest.mark.browser
def test_is_fine(page):
    pass
"""


def _run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "flaky", "-p", "xdist.plugin", "-q", *arguments]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    for name in [each for each in environment if each.startswith("PYTEST_XDIST")]:
        del environment[name]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    ).stdout


def test_only_a_browser_test_has_a_second_run_and_it_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser\n")
    (tmp_path / "test_pages.py").write_text(TESTS)
    said = _run(tmp_path, "-n", "1")
    assert "2 failed, 2 passed" in said, said
    assert "FAILED test_pages.py::test_is_broken" in said
    assert "FAILED test_pages.py::test_without_a_browser" in said
    assert "!! flaky !!" in said
    assert "FLAKY test_pages.py::test_lost_a_click: " in said
    assert said.count("FLAKY ") == 1
    kept = (tmp_path / "var/flaky.txt").read_text()
    assert kept.startswith("test_pages.py::test_lost_a_click\n")
    assert "the click was lost" in kept
    assert "test_is_broken" not in kept

    said = _run(tmp_path, "-k", "test_is_fine")
    assert "flaky" not in said
    assert not (tmp_path / "var/flaky.txt").exists()
