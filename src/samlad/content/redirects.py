"""Old addresses: where they lead, and the layer of the application that leads there.

The layer looks only at answers that say *not found*, so a page that is there always wins, and a page that is there
costs nothing.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import msgspec

from samlad import channels
from samlad.access import audit
from samlad.content import setup, store
from samlad.content.events import RedirectsChanged
from samlad.content.model import Redirect, RedirectInput, RedirectsInput, RedirectsSaved
from samlad.content.permissions import CHANGE
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import FieldError, InvalidInput, NotFound

MOST_ROWS = 10_000
OURS = ("/api", "/admin", "/pos", "/static/", "/media/", "/live", "/v1", "/webhooks", "/health", "/metrics")
"""Beginnings of addresses that are no shop's."""


async def add(tx: Tx, data: RedirectsInput) -> RedirectsSaved:
    """Add redirects to a channel, or lead those that are there elsewhere: all of them or none.

    Raises:
        InvalidInput: no such channel; a source twice, or one of the program's own; a way that leads back to itself.
    """
    tx.actor.require(CHANGE)
    try:
        channel = await channels.by_code(tx, data.channel)
    except NotFound as error:
        raise InvalidInput.at("channel", error.detail) from None
    _check(data.redirects)
    await store.lock_redirects(tx, channel.id)
    ids = [new_id() for _ in data.redirects]
    saved = await store.put_redirects(tx, channel.id, ids, data.redirects)
    if not saved:
        return RedirectsSaved(saved=0)
    looping = set(await store.looping(tx, channel.id, saved))
    errors = tuple(
        FieldError(
            f"redirects/{place}/target", f"{each.source} would lead back to itself, or on for too long"
        )
        for place, each in enumerate(data.redirects)
        if each.source in looping
    )
    if errors:
        raise InvalidInput("Some addresses would lead in a circle.", errors=errors)
    log.append(tx, RedirectsChanged(saved=saved, removed=[]), channel=channel.id, subject=channel.id)
    audit.record(
        tx, "content.redirects-saved", "channel", channel.id, after={"saved": len(saved), "first": saved[:20]}
    )
    return RedirectsSaved(saved=len(saved))


def _check(given: Sequence[RedirectInput]) -> None:
    errors, seen = [], set()
    for place, each in enumerate(given):
        if each.source in seen:
            errors.append(FieldError(f"redirects/{place}/source", f"{each.source} is there twice"))
        seen.add(each.source)
        if each.source == "/" or each.source.startswith(OURS):
            errors.append(
                FieldError(f"redirects/{place}/source", "this address is the program's own and never missing")
            )
    if errors:
        raise InvalidInput("Some old addresses are not right.", errors=tuple(errors))


async def remove(tx: Tx, ids: Sequence[UUID]) -> list[Redirect]:
    """Remove redirects; those that were there. Twice is as good as once."""
    tx.actor.require(CHANGE)
    gone = await store.delete_redirects(tx, ids)
    for channel in sorted({each.channel for each in gone}):
        sources = sorted(each.source for each in gone if each.channel == channel)
        log.append(tx, RedirectsChanged(saved=[], removed=sources), channel=channel, subject=channel)
        audit.record(tx, "content.redirects-removed", "channel", channel, before={"removed": sources[:20]})
    return gone


def read_csv(text: str) -> list[RedirectInput]:
    """Redirects of a CSV with the columns ``source`` and ``target`` (or *from* and *to*, as other shops call them).

    Parted by commas, semicolons or tabs. Whole addresses are cut to their path.

    Raises:
        InvalidInput: columns that are missing, too many rows, a row that is no redirect; by line of the file.
    """
    head = text.lstrip("\ufeff").split("\n", 1)[0]
    parted = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=parted)
    names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
    old = next((names[n] for n in ("source", "from", "redirect from", "old") if n in names), None)
    new = next((names[n] for n in ("target", "to", "redirect to", "new") if n in names), None)
    if old is None or new is None:
        raise InvalidInput.at("file", "its first line must name the columns source and target")
    found: list[RedirectInput] = []
    errors: list[FieldError] = []
    for row in rows:
        if len(found) + len(errors) >= MOST_ROWS:
            raise InvalidInput.at("file", f"more than {MOST_ROWS:,} rows; split it")
        values = {"source": _path(row.get(old) or ""), "target": (row.get(new) or "").strip()}
        try:
            found.append(msgspec.convert(values, RedirectInput))
        except msgspec.ValidationError:
            said = f"line {rows.line_num}: “{values['source']}” to “{values['target']}” is no redirect: both begin with /"
            errors.append(FieldError("file", said))
    if errors:
        raise InvalidInput("Some lines cannot be read; nothing was changed.", errors=tuple(errors[:20]))
    if not found:
        raise InvalidInput.at("file", "there is nothing in it")
    return found


def _path(text: str) -> str:
    """The path of an old address, whatever was before it."""
    text = text.strip()
    if text.startswith(("http://", "https://")):
        text = "/" + text.split("://", 1)[1].partition("/")[2]
    return unquote(text.partition("#")[0].partition("?")[0])


async def follow(database: Database, host: str, path: str, query: str) -> Redirect | None:
    """Where an old address leads in the shop at a host, counted; the query goes along where the target has none."""
    shop = channels.shop_at(host, await channels.cached_all(database))
    if shop is None:
        return None
    look = await setup.look_of(database, shop)
    found = await store.redirect_from(database, look.line, path)
    if found is None:
        return None
    counted = found.id
    await database.transaction(lambda tx: store.count_hit(tx, counted))
    if query and "?" not in found.target:
        base, mark, fragment = found.target.partition("#")
        found = msgspec.structs.replace(found, target=f"{base}?{query}{mark}{fragment}")
    return found


class Redirecting:
    """ASGI around the application: an answer that says *not found* becomes a redirect where there is one."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if not _is_asked(scope):
            await self._app(scope, receive, send)
            return
        is_replaced = False

        async def send_or_lead(message: Any) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == 404:
                found = await _lookup(scope)
                if found is not None:
                    is_replaced = True
                    await send(_start(found))
                    await send({"type": "http.response.body", "body": b""})
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, send_or_lead)


def _is_asked(scope: Any) -> bool:
    return (
        scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and not scope["path"].startswith(OURS)
    )


async def _lookup(scope: Any) -> Redirect | None:
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1")
    path = scope["path"]  # decoded already
    if "\x00" in path or len(path) > 500:
        return None
    database: Database = scope["litestar_app"].state.runtime.database
    return await follow(database, host, path, scope.get("query_string", b"").decode("latin-1"))


def _start(found: Redirect) -> dict[str, Any]:
    # 301 and 302: old addresses are asked for by GET, and every crawler knows these.
    location = "".join(
        c if "!" <= c <= "~" else "".join(f"%{b:02X}" for b in c.encode()) for c in found.target
    )
    headers = [(b"location", location.encode("ascii")), (b"content-length", b"0")]
    if found.is_permanent:
        headers.append((b"cache-control", b"public, max-age=3600"))
    return {
        "type": "http.response.start",
        "status": 301 if found.is_permanent else 302,
        "headers": headers,
    }
