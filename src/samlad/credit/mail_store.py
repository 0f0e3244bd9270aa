"""SQL of the table ``gift_card_mail``."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from samlad.credit.mail_model import CardMail, MailInput
from samlad.kernel.database import Reader, Tx

_MAIL = """m.card, m.order_id AS "order", m.recipient, m.name, m.giver, m.message, m.send_on, m.sent_at, g.status,
           (g.expires_at IS NOT NULL AND g.expires_at <= now()) AS is_expired, g.currency,
           CASE WHEN g.status = 'waiting'
                THEN coalesce((SELECT sum(c.amount) FROM gift_card_charge c WHERE c.card = g.id AND c.status = 'waiting'), 0)
                ELSE a.balance END::bigint AS amount"""
_FROM = "gift_card_mail m JOIN gift_card g ON g.id = m.card JOIN credit_account a ON a.id = g.account"


async def insert(
    tx: Tx, card: UUID, order: UUID | None, data: MailInput, send_on: date, send_at: datetime
) -> None:
    """Add the mail of a card that was made in this transaction."""
    await tx.execute(
        """INSERT INTO gift_card_mail (card, order_id, recipient, name, giver, message, send_on, send_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        card,
        order,
        data.recipient,
        data.name.strip(),
        data.giver.strip(),
        data.message.strip(),
        send_on,
        send_at,
    )


async def of_card(reader: Reader, card: UUID) -> CardMail | None:
    """The mail of a card, or None."""
    return await reader.one(CardMail, f"SELECT {_MAIL} FROM {_FROM} WHERE m.card = $1", card)


async def lock(tx: Tx, card: UUID) -> CardMail | None:
    """The same, held against changes."""
    return await tx.one(CardMail, f"SELECT {_MAIL} FROM {_FROM} WHERE m.card = $1 FOR UPDATE OF m", card)


async def of_order(reader: Reader, order: UUID) -> list[CardMail]:
    """The mails of all cards that an order sold, by day."""
    return await reader.all(
        CardMail, f"SELECT {_MAIL} FROM {_FROM} WHERE m.order_id = $1 ORDER BY m.send_on, m.card", order
    )


async def due(reader: Reader, moment: datetime, limit: int) -> Sequence[UUID]:
    """Cards whose mail is to go by now, the longest due first: they pay, and somebody is to have them."""
    rows = await reader.rows(
        f"""SELECT m.card FROM {_FROM}
            WHERE m.sent_at IS NULL AND m.send_at <= $1 AND m.recipient <> '' AND g.status = 'active'
              AND (g.expires_at IS NULL OR g.expires_at > $1)
            ORDER BY m.send_at, m.card LIMIT $2""",
        moment,
        limit,
    )
    return [row["card"] for row in rows]


async def set_day(tx: Tx, card: UUID, send_on: date, send_at: datetime) -> None:
    """Another day, of a mail that the caller holds."""
    await tx.execute(
        "UPDATE gift_card_mail SET send_on = $2, send_at = $3 WHERE card = $1", card, send_on, send_at
    )


async def set_sent(tx: Tx, card: UUID, moment: datetime, code_hash: bytes, last_four: str) -> None:
    """The mail has gone, with a code that only it has. The caller holds card and mail."""
    await tx.execute("UPDATE gift_card_mail SET sent_at = $2 WHERE card = $1", card, moment)
    await tx.execute(
        "UPDATE gift_card SET code_hash = $2, last_four = $3, version = version + 1 WHERE id = $1",
        card,
        code_hash,
        last_four,
    )
