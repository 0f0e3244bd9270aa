"""A test that fails is run once more: a machine with two busy cores now and then lets something come later than a test waits.

Once: what fails twice fails the run, and a run in which more than ``MOST`` tests needed their second is a failed one, because
that is no longer chance. What looks for rare faults gets none, because what it found is found: properties that Hypothesis
searches, everything in ``tests/heavy`` (races, kill -9), and what is marked ``soak``. Nothing is hidden: whatever needed its second run is told at the end under "flaky", with what went wrong at first, and kept in ``var/flaky.txt``.
Who reads it there mends it: the test if it waited for the wrong thing, us if it did not.

(pytest-rerunfailures does more than that, under the MPL; the plugins that a run names are few on purpose.)
"""

from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import is_hypothesis_test

FLAKY = "flaky"
"""Name of the property by which a report says what went wrong at first; workers send it to the run."""
KEPT = Path("var") / "flaky.txt"
RARE = "heavy"
"""Folder of the tests that look for what happens rarely."""
MOST = 4
"""Tests of one run that may need their second: four of four thousand."""


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test, and once more if it failed."""
    if (
        is_hypothesis_test(getattr(item, "obj", None))
        or item.path.parent.name == RARE
        or item.get_closest_marker("soak")
    ):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = [report for report in reports if report.failed]
    if failed and not any(
        "Timeout (>" in report.longreprtext for report in failed
    ):  # nothing would end it again
        properties = len(item.user_properties)
        item.user_properties.append((FLAKY, "\n".join(report.longreprtext for report in failed)))
        again = runtestprotocol(item, nextitem=nextitem, log=False)
        if any(report.failed for report in again):
            del item.user_properties[properties:]
        else:
            reports = again
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _flaky(reporter: Any) -> dict[str, str]:
    """What needed its second run, and what went wrong at first."""
    return {
        report.nodeid: said
        for report in reporter.stats.get("passed", [])
        for name, said in report.user_properties
        if name == FLAKY
    }


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which too many needed their second."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and len(_flaky(reporter)) > MOST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say loudly what needed its second run."""
    found = _flaky(terminalreporter)
    kept = config.rootpath / KEPT
    kept.unlink(missing_ok=True)
    if not found:
        return
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("\n\n".join(f"{nodeid}\n{said}" for nodeid, said in found.items()) + "\n")
    terminalreporter.section(FLAKY, sep="!", red=True, bold=True)
    for nodeid, said in found.items():
        terminalreporter.line(f"FLAKY {nodeid}: {said.strip().splitlines()[-1]}", red=True)
    if len(found) > MOST:
        terminalreporter.line(f"More than {MOST} of them are no chance: the run failed.", red=True)
    terminalreporter.line(f"They failed at first and passed in their second run. What went wrong: {kept}")
