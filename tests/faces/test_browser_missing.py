"""Where Chromium is missing, tests of pages are skipped with one line that says how to get it; in CI they fail."""

from pathlib import Path

import browser
import pytest

from skipping import refuse_skipped


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "CHROMIUM", Path("/nowhere/chromium"))


@pytest.mark.usefixtures("nowhere")
def test_a_developer_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(
        pytest.skip.Exception, match=r"^no browser tests without /nowhere/chromium: apt-get install chromium"
    ):
        browser.require_chromium()


@pytest.mark.usefixtures("nowhere")
def test_ci_does_without_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no browser tests without /nowhere/chromium"):
        browser.require_chromium()


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_ci_takes_a_skipped_test_for_a_failed_one(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str
) -> None:
    monkeypatch.setenv("CI", ci)
    said = ("tests/test_x.py", 7, "Skipped: the moon is not full")
    report = pytest.TestReport("tests/test_x.py::test", ("", 0, ""), {}, "skipped", said, "setup")
    refuse_skipped(report)
    assert report.outcome == outcome
    assert "the moon is not full" in str(report.longrepr)
