"""Pictures with reviews: drawn anew before anything is kept, kept with the review, read by staff before they are shown."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from samlad.content import photograph_store, photographs
from samlad.content.photograph_store import Kept
from samlad.content.photographs import Photograph
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput

LARGEST_BODY = photographs.MOST * photographs.LARGEST_BYTES + 100_000
TOO_MANY = marked("At most %(most)s pictures.")


async def read(form: Form) -> list[Photograph]:
    """What was sent with the form.

    Raises:
        InvalidInput: more than may be, or one is no picture that we read.
    """
    files = form.uploads("photos")
    if len(files) > photographs.MOST:
        raise InvalidInput.at("photos", form.translate(TOO_MANY) % {"most": photographs.MOST})
    found = []
    for file in files:
        content = await file.read(photographs.LARGEST_BYTES + 1)
        found.append(await asyncio.to_thread(photographs.read, content))
    return found


async def keep(tx: Tx, review: UUID, made: Iterable[Photograph], *, clear: bool) -> None:
    """Let a review have these; ``clear`` takes out those that it had. New ones stand in place of the old."""
    fresh = list(made)
    if clear or fresh:
        await photograph_store.remove(tx, review)
    kept = [await photograph_store.add(tx, review, each) for each in fresh]
    if kept:
        await photograph_store.attach(tx, review, [each.id for each in kept], review)


async def of(request: AnyRequest, reviews: Iterable[Any]) -> dict[UUID, list[Kept]]:
    """The pictures of reviews, by review. One statement."""
    return await photograph_store.of(database_of(request), [each.id for each in reviews])
