"""Skipping is for developers, who lack a browser for example; a run of CI tests everything or fails."""

import os

import pytest


def is_ci() -> bool:
    """Whether ``.ci/run``, or a service that calls it, runs the tests."""
    return os.environ.get("CI") == "true"


def refuse_skipped(report: pytest.TestReport) -> None:
    """In CI a skipped test is a failed one."""
    if is_ci() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"In CI nothing is skipped. {reason}"
