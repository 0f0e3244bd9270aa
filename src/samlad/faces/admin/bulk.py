"""Acts on what is picked in a list of the admin: each row in a transaction of its own, all of it taken back by one click.

A row that refuses does not keep the others from being changed; it is counted, and the first reason is told. This is for the rows of
a page. Orders, of which thousands are picked by a filter, have jobs for it (`samlad.faces.admin.order_bulk`).
"""

import base64
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from litestar import Response

from samlad.faces import objections
from samlad.faces.admin.undo import undo_href
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, change, go, words
from samlad.kernel.database import Tx
from samlad.kernel.once import SentBefore
from samlad.kernel.problems import Problem

MOST = 50
"""Rows at once: those of a page. What was there before them stands in the link that takes it back, and that has to fit a cookie."""

Act = Callable[[Tx, UUID], Awaitable[str | None]]
"""Changes one row and says in a word what it was before; None: it is so already."""


def picked(form: Form) -> list[UUID]:
    """The rows that were ticked, each once; empty where none was, or where the form was made up."""
    try:
        return list(dict.fromkeys(UUID(one) for one in form.all("id")))
    except ValueError:
        return []


async def run(
    request: AnyRequest, chosen: list[UUID], act: Act, *, back: str, undo: str, **arguments: Any
) -> Response[Any]:
    """Act on what was picked, and go back to the list, which says what came of it.

    ``undo`` is the kind of `undoable` that takes it back. It gets ``back``, ``before`` (for `rows_before`) and the ``arguments``.
    """
    _ = words(request)
    if not chosen:
        return go(request, back, _("Pick something first."), kind="danger")
    if len(chosen) > MOST:
        return go(request, back, _("Pick at most %(most)s at once.") % {"most": MOST}, kind="danger")
    before: dict[str, list[UUID]] = {}
    refused: list[str] = []
    for row in chosen:
        try:
            word = await change(request, lambda tx, row=row: act(tx, row))  # type: ignore[misc]
        except SentBefore:
            raise
        except Problem as problem:
            refused.append(objections.said(_, problem.detail))
            continue
        if word is not None:
            before.setdefault(word, []).append(row)
    changed = sum(map(len, before.values()))
    said = [_("Changed: %(count)s.") % {"count": changed}]
    if refused:
        said.append(_("Refused: %(count)s.") % {"count": len(refused)} + f" {refused[0]}")
    href = None
    if changed:
        packed = {word: _packed(rows) for word, rows in before.items()}
        href = undo_href(request, undo, back=back, before=packed, **arguments)
    return go(request, back, " ".join(said), kind="warning" if refused else "success", undo=href)


def rows_before(arguments: Mapping[str, Any]) -> Iterator[tuple[UUID, str]]:
    """Each row of an act that is taken back, with the word of what it was before."""
    for word, text in arguments["before"].items():
        held = base64.urlsafe_b64decode(text)
        for at in range(0, len(held), 16):
            yield UUID(bytes=held[at : at + 16]), str(word)


def _packed(rows: list[UUID]) -> str:
    return base64.urlsafe_b64encode(b"".join(row.bytes for row in rows)).decode()
