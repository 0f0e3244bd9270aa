"""Acts on what is picked in a list of the admin: each row in a transaction of its own, all of it taken back by one click.

A row that refuses does not keep the others from being changed; it is counted, and named with its reason. This is for the rows of
a page. Where all that a filter finds can be meant there are jobs for it (`samlad.faces.admin.bulk_all`, for orders `order_bulk`).
"""

import base64
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec
from litestar import Response

from samlad.faces import objections
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, change, go, local_path, words
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import database_of
from samlad.kernel.ids import new_id
from samlad.kernel.once import SentBefore
from samlad.kernel.problems import NotFound, Problem

MOST = 50
"""Rows at once: those of a page. What was there before them stands in the link that takes it back, and that has to fit a cookie."""
MOST_BACK = 500
"""Characters of an address that the link leads back to; from a longer one it leads to the list without its filters."""
MOST_REASONS, MOST_NAMES, LONGEST_NAME = 3, 3, 40

Pair = tuple[UUID, UUID]
"""A row that two ids name: a level, by its location and its variant."""
Row = TypeVar("Row", UUID, Pair)


class Versioned(Protocol):
    """What has a version."""

    @property
    def version(self) -> int:
        """Counts up with every change."""
        ...


Decision = TypeVar("Decision")
Decided = TypeVar("Decided", bound=Versioned)

Act = Callable[[Tx, Row], Awaitable[str | None]]
"""Changes one row and says in a word what it was before; None: it is so already."""
Named = Callable[[Reader, Row], Awaitable[str]]
"""What a row is called, for who reads that it refused. It may raise NotFound."""


def picked(form: Form) -> list[UUID]:
    """The rows that were ticked, each once; empty where none was, or where the form was made up."""
    try:
        return list(dict.fromkeys(UUID(one) for one in form.all("id")))
    except ValueError:
        return []


def picked_pairs(form: Form) -> list[Pair]:
    """As `picked`, of rows that two ids name: ``UUID/UUID``."""
    try:
        parts = [one.partition("/") for one in form.all("id")]
        return list(dict.fromkeys((UUID(first), UUID(second)) for first, _, second in parts))
    except ValueError:
        return []


async def run(
    request: AnyRequest,
    chosen: Sequence[Row],
    act: Act[Row],
    *,
    named: Named[Row],
    back: str,
    undo: str | None,
    **arguments: Any,
) -> Response[Any]:
    """Act on what was picked, and go back to the list, which says what came of it.

    ``undo`` is the kind of `undoable` that takes it back (None: who acts may not). It gets ``back``, ``before`` (for `rows_before`)
    and the ``arguments``.
    """
    _ = words(request)
    if not chosen:
        return go(request, back, _("Pick something first."), kind="danger")
    if len(chosen) > MOST:
        return go(request, back, _("Pick at most %(most)s at once.") % {"most": MOST}, kind="danger")
    before: dict[str, list[Row]] = {}
    refused: dict[str, list[Row]] = {}
    for row in chosen:
        try:
            word = await change(request, _on(act, row))
        except SentBefore:
            raise
        except Problem as problem:
            refused.setdefault(_why(request, problem), []).append(row)
            continue
        if word is not None:
            before.setdefault(word, []).append(row)
    changed = sum(map(len, before.values()))
    said = [_("Changed: %(count)s.") % {"count": changed}]
    if refused:
        said.append(_("Refused: %(count)s.") % {"count": sum(map(len, refused.values()))})
        said += [
            await _refusal(request, reason, rows, named)
            for reason, rows in list(refused.items())[:MOST_REASONS]
        ]
    href = None
    if changed and undo is not None:
        there = back if len(back) <= MOST_BACK else back.partition("?")[0]
        packed = {word: _packed(rows) for word, rows in before.items()}
        href = undo_href(request, undo, back=there, before=packed, **arguments)
    return go(request, back, " ".join(said), kind="warning" if refused else "success", undo=href)


class Queue(msgspec.Struct, Generic[Decision, Decided], frozen=True):
    """What waits to be read by staff and is decided one by one or many at once: reviews, questions.

    Attributes:
        kind: of `undoable`, which takes many back.
        decision: what is decided, of ``status`` and ``reason``; with ``refusing`` as its status it needs the reason.
        why: what somebody reads who gave none (marked).
        find, decide, take_back: the verbs. ``name``: what one is called.
    """

    kind: str
    decision: type[Decision]
    refusing: str
    why: str
    find: Callable[[Reader, UUID], Awaitable[Decided | None]]
    decide: Callable[..., Awaitable[Decided]]
    take_back: Callable[[Tx, UUID], Awaitable[int]]
    name: Callable[[Decided], str]

    def __post_init__(self) -> None:
        """Say how many that were decided at once are taken back."""
        undoable(self.kind)(self._undo)

    async def _undo(self, tx: Tx, arguments: dict[str, Any]) -> str:
        await self.take_back(tx, UUID(arguments["batch"]))
        return str(arguments["back"])

    async def run(self, request: AnyRequest, form: Form, base: str) -> Response[Any]:
        """Decide what was picked as the form says with ``act`` and ``reason``."""
        _ = words(request)
        back, reason = local_path(form.text("next"), base), form.get("reason").strip()
        try:
            data = msgspec.convert({"status": form.get("act"), "reason": reason}, self.decision)
        except msgspec.ValidationError:
            return go(request, back, _("Please say what is to be done with them."), kind="danger")
        if form.get("act") == self.refusing and not reason:
            return go(request, back, _(self.why), kind="danger")
        batch = new_id()

        async def act(tx: Tx, row: UUID) -> str | None:
            before = await self.find(tx, row)
            version = None if before is None else before.version
            after = await self.decide(tx, row, data, version=version, batch=batch)
            return None if after.version == version else "-"

        return await run(
            request, picked(form), act, named=self._named, back=back, undo=self.kind, batch=batch
        )

    async def _named(self, reader: Reader, row: UUID) -> str:
        found = await self.find(reader, row)
        if found is None:
            raise NotFound
        return self.name(found)


def _on(act: Act[Row], row: Row) -> Callable[[Tx], Awaitable[str | None]]:
    return lambda tx: act(tx, row)


def _why(request: AnyRequest, problem: Problem) -> str:
    _ = words(request)
    told = [problem.detail] if problem.detail else [error.message for error in problem.errors]
    return " ".join(objections.said(_, one) for one in told) or _(problem.title)


async def _refusal(request: AnyRequest, reason: str, rows: Sequence[Row], named: Named[Row]) -> str:
    """Who refused, and why. What is not there (any more) has no name."""
    names = []
    for row in rows[:MOST_NAMES]:
        try:
            name = await named(database_of(request), row)
        except NotFound:
            continue
        names.append(name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…")
    if not names:
        return reason
    text = ", ".join(names)
    if len(rows) > len(names):
        text = words(request)("%(names)s and %(more)s more") % {
            "names": text,
            "more": len(rows) - len(names),
        }
    return f"{text}: {reason}"


def rows_before(arguments: Mapping[str, Any]) -> Iterator[tuple[UUID, str]]:
    """Each row of an act that is taken back, with the word of what it was before."""
    for ids, word in _unpacked(arguments, 1):
        yield ids[0], word


def pairs_before(arguments: Mapping[str, Any]) -> Iterator[tuple[Pair, str]]:
    """As `rows_before`, of rows that two ids name."""
    for ids, word in _unpacked(arguments, 2):
        yield (ids[0], ids[1]), word


def _unpacked(arguments: Mapping[str, Any], parts: int) -> Iterator[tuple[list[UUID], str]]:
    for word, text in arguments["before"].items():
        held = base64.urlsafe_b64decode(text)
        ids = [UUID(bytes=held[at : at + 16]) for at in range(0, len(held), 16)]
        for at in range(0, len(ids), parts):
            yield ids[at : at + parts], str(word)


def _packed(rows: Sequence[Row]) -> str:
    parts = (part for row in rows for part in (row if isinstance(row, tuple) else (row,)))
    return base64.urlsafe_b64encode(b"".join(part.bytes for part in parts)).decode()
