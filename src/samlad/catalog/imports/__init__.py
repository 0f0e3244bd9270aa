"""Bringing products in: from a file or from records, checked as a whole before anything is written."""

from samlad.catalog.imports.report import BrokenFile, ImportReport, LineReport, Outcome
from samlad.catalog.imports.run import ImportOptions, run, run_file

__all__ = ["BrokenFile", "ImportOptions", "ImportReport", "LineReport", "Outcome", "run", "run_file"]
