"""SQL of the table ``photograph``: what customers sent, by what it belongs to."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from samlad.content.photographs import Photograph
from samlad.kernel.database import Reader, Tx

MOST_WAITING = 20
"""Photographs of one person that belong to nothing yet."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph that is kept, without its pixels. ``id`` is random: whoever has its address may see it."""

    id: UUID
    subject: UUID
    width: int
    height: int
    thumb_width: int
    thumb_height: int

    @property
    def href(self) -> str:
        """Where it is."""
        return f"/media/photo/{self.id}"


_COLUMNS = "id, subject, width, height, thumb_width, thumb_height"


async def add(tx: Tx, subject: UUID, made: Photograph) -> Kept:
    """Keep a photograph under whatever it belongs to; for now its sender, whose oldest that wait give way."""
    await tx.execute(
        """DELETE FROM photograph WHERE id IN (
               SELECT id FROM photograph WHERE subject = $1 AND waits ORDER BY created_at DESC OFFSET $2)
           OR (subject = $1 AND waits AND created_at < now() - interval '1 day')""",
        subject,
        MOST_WAITING - 1,
    )
    found = await tx.one(
        Kept,
        f"""INSERT INTO photograph (id, subject, content, thumb, width, height, thumb_width, thumb_height)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}""",
        uuid4(),
        subject,
        made.content,
        made.thumb,
        made.width,
        made.height,
        made.thumb_width,
        made.thumb_height,
    )
    assert found is not None
    return found


async def attach(tx: Tx, sender: UUID, photographs: Sequence[UUID], subject: UUID) -> list[Kept]:
    """Let photographs that their sender has sent belong to something; those that are another's are left."""
    return await tx.all(
        Kept,
        f"""UPDATE photograph SET subject = $3, waits = false
            WHERE id = ANY($2::uuid[]) AND subject = $1 AND waits RETURNING {_COLUMNS}""",
        sender,
        list(photographs),
        subject,
    )


async def of(reader: Reader, subjects: Sequence[UUID]) -> dict[UUID, list[Kept]]:
    """The photographs of some subjects, in the order they were sent. One statement, none without subjects."""
    found: dict[UUID, list[Kept]] = {}
    if subjects:
        for each in await reader.all(
            Kept,
            f"SELECT {_COLUMNS} FROM photograph WHERE subject = ANY($1::uuid[]) ORDER BY created_at, id",
            list(subjects),
        ):
            found.setdefault(each.subject, []).append(each)
    return found


async def waiting(reader: Reader, sender: UUID, photographs: Sequence[UUID]) -> list[Kept]:
    """Which of these their sender has sent and not used yet."""
    return await reader.all(
        Kept,
        f"""SELECT {_COLUMNS} FROM photograph WHERE id = ANY($2::uuid[]) AND subject = $1 AND waits
            ORDER BY created_at, id""",
        sender,
        list(photographs),
    )


async def move(tx: Tx, subject: UUID, other: UUID) -> None:
    """What belonged to something belongs to what it became."""
    await tx.execute("UPDATE photograph SET subject = $2 WHERE subject = $1 AND NOT waits", subject, other)


async def remove(tx: Tx, subject: UUID) -> None:
    """Forget the photographs of something."""
    await tx.execute("DELETE FROM photograph WHERE subject = $1 AND NOT waits", subject)


async def pixels(reader: Reader, photograph: UUID, *, small: bool) -> bytes | None:
    """A photograph as WebP, or None."""
    column = "thumb" if small else "content"
    found: bytes | None = await reader.value(f"SELECT {column} FROM photograph WHERE id = $1", photograph)
    return found
