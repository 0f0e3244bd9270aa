"""What an import tells: for each line what became of it, and why."""

import csv
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import IO

import msgspec

from samlad.kernel.problems import Problem


class BrokenFile(Problem):
    """The file as a whole cannot be read; ``line`` says where. Nothing was imported."""

    code, status, title = "broken-file", 422, "The file cannot be read"


class Outcome(StrEnum):
    """What became (or in a dry run: would become) of a line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class LineReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """One variant's line. ``problems`` are why it was refused; ``notes`` what was left out though it was taken."""

    line: int
    outcome: Outcome
    handle: str | None = None
    sku: str | None = None
    problems: list[str] = []
    notes: list[str] = []


MOST_LINES = 1000


class ImportReport(msgspec.Struct):
    """The whole import. ``is_done`` is false for a dry run and when lines were refused and nothing was written."""

    format: str
    encoding: str = "utf-8"
    is_dry_run: bool = False
    is_done: bool = False
    products: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    images: int = 0
    seconds: float = 0.0
    unknown_columns: list[str] = []
    lines: list[LineReport] = []

    def count(self) -> None:
        """Sum up the lines."""
        found = Counter(line.outcome for line in self.lines)
        self.created, self.updated = found[Outcome.CREATED], found[Outcome.UPDATED]
        self.unchanged, self.refused = found[Outcome.UNCHANGED], found[Outcome.REFUSED]

    def short(self, most: int = MOST_LINES) -> "ImportReport":
        """The same with only the lines that say something: refused first, then those with notes, at most so many."""
        telling = sorted(
            (line for line in self.lines if line.problems or line.notes),
            key=lambda line: (line.outcome is not Outcome.REFUSED, line.line),
        )
        return msgspec.structs.replace(self, lines=telling[:most])


def write_csv(report: ImportReport, file: IO[str]) -> None:
    """Every line of the report as CSV."""
    writer = csv.writer(file)
    writer.writerow(["line", "outcome", "handle", "sku", "problems", "notes"])
    writer.writerows(_cells(report.lines))


def _cells(lines: Iterable[LineReport]) -> Iterable[list[str]]:
    for line in lines:
        yield [
            str(line.line),
            line.outcome,
            line.handle or "",
            line.sku or "",
            "; ".join(line.problems),
            "; ".join(line.notes),
        ]
