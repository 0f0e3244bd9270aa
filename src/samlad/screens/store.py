"""SQL of screens."""

from datetime import timedelta
from uuid import UUID

from samlad.kernel.database import Database, Reader, Tx
from samlad.screens.model import Screen

_FIELDS = ", ".join(Screen.__struct_fields__)


async def screen(reader: Reader, screen_id: UUID) -> Screen | None:
    """A screen by its id, a revoked one, too."""
    return await reader.one(Screen, f"SELECT {_FIELDS} FROM screen WHERE id = $1", screen_id)


async def by_token(reader: Reader, token_hash: bytes) -> Screen | None:
    """The screen that this token is of; None for a revoked one."""
    return await reader.one(
        Screen, f"SELECT {_FIELDS} FROM screen WHERE token_hash = $1 AND revoked_at IS NULL", token_hash
    )


async def token_of(reader: Reader, screen_id: UUID) -> bytes | None:
    """The hash of a screen's token; None for a revoked one."""
    found: bytes | None = await reader.value(
        "SELECT token_hash FROM screen WHERE id = $1 AND revoked_at IS NULL", screen_id
    )
    return found


async def of_location(reader: Reader, location: UUID) -> list[Screen]:
    """The screens of a location, by name."""
    return await reader.all(
        Screen,
        f"SELECT {_FIELDS} FROM screen WHERE location = $1 AND revoked_at IS NULL ORDER BY name, id",
        location,
    )


async def pairing(reader: Reader, token_hash: bytes) -> str | None:
    """The code that a tablet with this token shows, while it is good."""
    found: str | None = await reader.value(
        "SELECT code FROM screen_pairing WHERE token_hash = $1 AND good_until > now()", token_hash
    )
    return found


async def begin(tx: Tx, code: str, token_hash: bytes, lasts: timedelta) -> bool:
    """Keep a code for a token; False if another tablet shows it."""
    return bool(
        await tx.execute(
            """INSERT INTO screen_pairing AS p (code, token_hash, good_until) VALUES ($1, $2, now() + $3)
               ON CONFLICT (code) DO UPDATE SET token_hash = excluded.token_hash, good_until = excluded.good_until
               WHERE p.good_until <= now()""",
            code,
            token_hash,
            lasts,
        )
    )


async def take(tx: Tx, code: str) -> bytes | None:
    """The token that waits under a code, which is used up; None when none does."""
    found: bytes | None = await tx.value(
        "DELETE FROM screen_pairing WHERE code = $1 AND good_until > now() RETURNING token_hash", code
    )
    return found


async def insert(
    tx: Tx, screen_id: UUID, location: UUID, channel: UUID, name: str, token_hash: bytes
) -> None:
    """A screen of a store."""
    await tx.execute(
        "INSERT INTO screen (id, location, channel, name, token_hash, paired_by) VALUES ($1, $2, $3, $4, $5, $6)",
        screen_id,
        location,
        channel,
        name,
        token_hash,
        tx.actor.label,
    )


async def show(tx: Tx, screen_id: UUID, cart: UUID | None, order: UUID | None) -> bool:
    """What a screen shows from now on; False if it does already, or is revoked."""
    return bool(
        await tx.execute(
            """UPDATE screen SET cart = $2, order_id = $3, shown_at = now()
               WHERE id = $1 AND revoked_at IS NULL AND (cart, order_id) IS DISTINCT FROM ($2, $3)""",
            screen_id,
            cart,
            order,
        )
    )


async def revoke(tx: Tx, screen_id: UUID) -> bool:
    """Its token opens nothing any more; False if it did not before."""
    return bool(
        await tx.execute(
            """UPDATE screen SET revoked_at = now(), cart = NULL, order_id = NULL
               WHERE id = $1 AND revoked_at IS NULL""",
            screen_id,
        )
    )


async def forget_old(database: Database) -> None:
    """Forget codes that are over."""
    await database.transaction(
        lambda tx: tx.execute("DELETE FROM screen_pairing WHERE good_until < now() - interval '1 hour'")
    )
