"""Store work of phones: counting, picking and receiving, perhaps without network, comes in once and is never lost.

The public face; `docs/concepts/store-work.md` explains.
"""

from samlad.storework.model import Batch, Dismissal, Kept, NotRefused, Row, State, Verdict
from samlad.storework.permissions import RESOLVE
from samlad.storework.service import dismiss, get, may_work, record, record_batch, try_again
from samlad.storework.store import ENTRIES, waiting
from samlad.storework.tasks import Tasks, tasks_of

__all__ = [
    "ENTRIES",
    "RESOLVE",
    "Batch",
    "Dismissal",
    "Kept",
    "NotRefused",
    "Row",
    "State",
    "Tasks",
    "Verdict",
    "dismiss",
    "get",
    "may_work",
    "record",
    "record_batch",
    "tasks_of",
    "try_again",
    "waiting",
]
