"""SQL of tax classes, rates, registrations, checked numbers and outside engines' answers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from samlad.kernel.database import Reader, Tx, asked_once
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import Conflict, NotFound
from samlad.tax.model import NumberCheck, Registration, Scheme, TaxClass, TaxRate

_RATE = "id, pool, country, region, tax_class, rate_bp, category, valid_from, valid_to, name, version"
_REGISTRATION = "id, channel, country, number, valid_from, valid_to, version"
_CHECK = "number, status, name, address, consultation, checked_at"

RATES = Listing(
    row=TaxRate,
    select=_RATE,
    source="tax_country_rate",
    key="id",
    sorts={
        "country": Sort("country || ' ' || region || ' ' || tax_class || ' ' || valid_from::text"),
        "valid_from": Sort("valid_from", "date"),
    },
    default_sort="country",
    filters={
        "country": Filter("country = ANY({})", texts),
        "region": Filter("region = ANY({})", texts),
        "tax_class": Filter("tax_class = ANY({})", texts),
        "pool": Filter("pool = {}", UUID),
        "on": Filter("daterange(valid_from, valid_to) @> {}::date", date.fromisoformat),
    },
)

REGISTRATIONS = Listing(
    row=Registration,
    select=_REGISTRATION,
    source="tax_registration",
    key="id",
    sorts={"country": Sort("country || ' ' || valid_from::text"), "valid_from": Sort("valid_from", "date")},
    default_sort="country",
    filters={
        "country": Filter("country = ANY({})", texts),
        "channel": Filter("channel IN (SELECT id FROM channel WHERE code = ANY({}))", texts),
    },
)


@asked_once
async def fingerprint(reader: Reader) -> int:
    """A number that changes with what `samlad.tax.setup` keeps."""
    return int(
        await reader.value(
            """SELECT (SELECT count(*) + coalesce(sum(version), 0) FROM tax_country_rate)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM tax_registration)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM tax_scheme)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM channel)"""
        )
    )


async def classes(reader: Reader) -> list[TaxClass]:
    """Every tax class, by code."""
    return await reader.all(TaxClass, "SELECT code, name, description FROM tax_product_class ORDER BY code")


async def insert_class(tx: Tx, code: str, name: str, description: str) -> TaxClass | None:
    """Add a class; None if the code is taken."""
    return await tx.one(
        TaxClass,
        "INSERT INTO tax_product_class (code, name, description) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        " RETURNING code, name, description",
        code,
        name,
        description,
    )


async def all_rates(reader: Reader) -> list[TaxRate]:
    """Every rate there is or was."""
    return await reader.all(TaxRate, f"SELECT {_RATE} FROM tax_country_rate ORDER BY valid_from DESC, id")


async def rate(reader: Reader, rate_id: UUID, *, lock: bool = False) -> TaxRate:
    """One rate. Raises NotFound."""
    sql = f"SELECT {_RATE} FROM tax_country_rate WHERE id = $1{' FOR UPDATE' if lock else ''}"
    found = await reader.one(TaxRate, sql, rate_id)
    if found is None:
        raise NotFound("There is no such tax rate.")
    return found


async def put_rate(tx: Tx, made: TaxRate) -> None:
    """Write a rate. Raises Conflict if it overlaps another."""
    try:
        await tx.execute(
            f"""
            INSERT INTO tax_country_rate ({_RATE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (id) DO UPDATE SET (rate_bp, category, valid_from, valid_to, name, version)
                = (excluded.rate_bp, excluded.category, excluded.valid_from, excluded.valid_to, excluded.name,
                   excluded.version)
            """,
            *(getattr(made, field) for field in TaxRate.__struct_fields__),
        )
    except asyncpg.ExclusionViolationError:
        raise Conflict.at("valid_from", "It overlaps another rate of this country and class.") from None


async def all_registrations(reader: Reader) -> list[Registration]:
    """Every registration there is or was."""
    return await reader.all(
        Registration, f"SELECT {_REGISTRATION} FROM tax_registration ORDER BY country, valid_from"
    )


async def all_schemes(reader: Reader) -> list[Scheme]:
    """Every scheme that is or was used."""
    return await reader.all(
        Scheme,
        """SELECT id, channel, scheme, tax_class, number, most, valid_from, valid_to, version FROM tax_scheme
           ORDER BY valid_from""",
    )


async def registration(reader: Reader, registration_id: UUID, *, lock: bool = False) -> Registration:
    """One registration. Raises NotFound."""
    sql = f"SELECT {_REGISTRATION} FROM tax_registration WHERE id = $1{' FOR UPDATE' if lock else ''}"
    found = await reader.one(Registration, sql, registration_id)
    if found is None:
        raise NotFound("There is no such registration.")
    return found


async def put_registration(tx: Tx, made: Registration) -> None:
    """Write a registration. Raises Conflict if the channel has one of this country then."""
    try:
        await tx.execute(
            f"""
            INSERT INTO tax_registration ({_REGISTRATION}) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (id) DO UPDATE SET (number, valid_from, valid_to, version)
                = (excluded.number, excluded.valid_from, excluded.valid_to, excluded.version)
            """,
            *(getattr(made, field) for field in Registration.__struct_fields__),
        )
    except asyncpg.ExclusionViolationError:
        raise Conflict.at("valid_from", "The channel is registered in this country at that time.") from None


async def number_check(reader: Reader, number: str) -> NumberCheck | None:
    """What is known of a VAT number."""
    return await reader.one(NumberCheck, f"SELECT {_CHECK} FROM tax_number_check WHERE number = $1", number)


async def note_number(tx: Tx, number: str, *, next_at: datetime | None) -> bool:
    """Remember a number whose format is right; whether it was not known. One known without an answer is asked again."""
    made = await tx.value(
        """
        INSERT INTO tax_number_check (number, status, next_at) VALUES ($1, 'format', $2)
        ON CONFLICT (number) DO UPDATE SET next_at = excluded.next_at
        WHERE tax_number_check.status = 'format' AND tax_number_check.next_at IS NULL
        RETURNING true
        """,
        number,
        next_at,
    )
    return bool(made)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What VIES said, to be kept."""

    number: str
    status: str
    name: str | None
    address: str | None
    consultation: str | None
    checked_at: datetime


async def keep_answer(tx: Tx, answered: Answered) -> bool:
    """Keep what VIES said unless something later is known; whether it was kept."""
    kept = await tx.value(
        f"""
        INSERT INTO tax_number_check AS n ({_CHECK}) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (number) DO UPDATE SET (status, name, address, consultation, checked_at, tries, next_at)
            = (excluded.status, excluded.name, excluded.address, excluded.consultation, excluded.checked_at, 0, NULL)
        WHERE n.checked_at IS NULL OR n.checked_at < excluded.checked_at
        RETURNING true
        """,
        answered.number,
        answered.status,
        answered.name,
        answered.address,
        answered.consultation,
        answered.checked_at,
    )
    return bool(kept)


async def lease_numbers(tx: Tx, until: datetime, limit: int) -> list[str]:
    """Numbers that VIES is to be asked for now; nobody else is given them until then."""
    rows = await tx.rows(
        """
        UPDATE tax_number_check SET next_at = $1, tries = tries + 1
        WHERE number IN (SELECT number FROM tax_number_check WHERE next_at <= now()
                         ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING number
        """,
        until,
        limit,
    )
    return [row["number"] for row in rows]


async def try_later(tx: Tx, number: str, *, first_seconds: float, longest_seconds: float, most: int) -> None:
    """VIES was silent: ask again, each time after twice as long, and not for ever."""
    await tx.execute(
        """
        UPDATE tax_number_check
        SET next_at = CASE WHEN tries < $4
                           THEN now() + make_interval(secs => least($2 * 2 ^ greatest(tries - 1, 0), $3)) END
        WHERE number = $1 AND status = 'format'
        """,
        number,
        first_seconds,
        longest_seconds,
        most,
    )


async def answer(reader: Reader, question: bytes, since: datetime) -> Any | None:
    """What an outside engine answered to a question since a moment."""
    return await reader.value(
        "SELECT answer FROM tax_answer WHERE question = $1 AND asked_at >= $2", question, since
    )


async def put_answer(tx: Tx, question: bytes, engine: str, answer: Any) -> None:
    """Keep what an outside engine answered."""
    await tx.execute(
        """
        INSERT INTO tax_answer (question, engine, answer) VALUES ($1, $2, $3)
        ON CONFLICT (question) DO UPDATE SET answer = excluded.answer, asked_at = now()
        """,
        question,
        engine,
        answer,
    )


async def forget_answers(tx: Tx, before: datetime, limit: int) -> int:
    """Delete old answers."""
    return await tx.execute(
        """DELETE FROM tax_answer WHERE question IN (
               SELECT question FROM tax_answer WHERE asked_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)""",
        before,
        limit,
    )
