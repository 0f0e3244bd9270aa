"""A browser test that fails is run once more: a browser on a busy machine now and then loses what a person would do again.

Only tests marked ``browser``, and once: what fails twice fails the run. Nothing is hidden: whatever needed its second run is told
at the end of the run under "flaky", with what went wrong at first, and kept in ``var/flaky.txt``. Who reads it there mends it.

(pytest-rerunfailures does more than that, under the MPL; the plugins that a run names are few on purpose.)
"""

from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

FLAKY = "flaky"
"""Name of the property by which a report says what went wrong at first; workers send it to the run."""
KEPT = Path("var") / "flaky.txt"


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a browser test, and once more if it failed."""
    if item.get_closest_marker("browser") is None:
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


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say loudly what needed its second run."""
    found = {
        report.nodeid: said
        for report in terminalreporter.stats.get("passed", [])
        for name, said in report.user_properties
        if name == FLAKY
    }
    kept = config.rootpath / KEPT
    kept.unlink(missing_ok=True)
    if not found:
        return
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("\n\n".join(f"{nodeid}\n{said}" for nodeid, said in found.items()) + "\n")
    terminalreporter.section(FLAKY, sep="!", red=True, bold=True)
    for nodeid, said in found.items():
        terminalreporter.line(f"FLAKY {nodeid}: {said.strip().splitlines()[-1]}", red=True)
    terminalreporter.line(f"They failed at first and passed in their second run. What went wrong: {kept}")
