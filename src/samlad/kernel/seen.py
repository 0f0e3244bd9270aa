"""What a form was filled from, for things that count no versions: nobody puts theirs over a change that they have not seen.

A form carries the `mark` of what it shows in the field in which others carry a version; the verb that it leads to runs behind
`unchanged`, which waits for whoever else sends the same form, and refuses what was filled from something older.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import msgspec

from samlad.kernel.database import Tx
from samlad.kernel.http import check_version

_BYTES = 6
"""Of the hash: fits a version, and a number of JavaScript."""


def mark(state: Any) -> int:
    """A number that stands for what is there (anything that msgspec writes as JSON); another state has another one."""
    written = msgspec.json.encode(state, order="sorted")
    return int.from_bytes(sha256(written).digest()[:_BYTES], "big")


async def unchanged(tx: Tx, what: str, read: Callable[[Tx], Awaitable[Any]], seen: int | None) -> None:
    """Go on if ``what`` is as it was when the form was filled; who comes second waits until the first one is through.

    ``read`` gives the state that the mark was made of; ``seen`` is that mark, None where a form carries none.

    Raises:
        Outdated: somebody changed it meanwhile; ``current`` is the mark of now.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 61))", f"seen {what}")
    check_version(seen, mark(await read(tx)))
