"""Price tags and shelf labels: as PDF for sheets, as ZPL for label printers. The public face.

`docs/concepts/labels.md` explains.
"""

from samlad.labels.making import ask, content
from samlad.labels.model import LabelRun, LabelRunInput, NoFile, Pick, RunState, Template
from samlad.labels.permissions import MAKE, READ
from samlad.labels.rules import TEMPLATES, picks
from samlad.labels.store import RUNS, run

__all__ = [
    "MAKE",
    "READ",
    "RUNS",
    "TEMPLATES",
    "LabelRun",
    "LabelRunInput",
    "NoFile",
    "Pick",
    "RunState",
    "Template",
    "ask",
    "content",
    "picks",
    "run",
]
