"""SQL of the tables ``customer`` and ``customer_spend``."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import phonenumbers

from samlad.channels import Resource
from samlad.customers.model import Customer, CustomerRow, PersonInput, Spend
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, anywhere, texts, uuids
from samlad.stock.reach import belongs

_COLUMNS = """id, pool, external_id, email, name, phone, country, locale, group_name, version, created_at,
              updated_at"""
_SURVIVOR = "SELECT coalesce(survivor, id) FROM customer WHERE id = $1"
_MEMBERS = "ANY (customer_members(ARRAY[$1::uuid]))"
CHANGEABLE = ("external_id", "email", "name", "phone", "country", "locale", "group_name")


_PHONE = re.compile(r"[+0-9 ()/.\u00a0-]+")
_LEAST_DIGITS, _MOST_DIGITS = 6, 15


def looks_like_phone(text: str) -> bool:
    """Whether somebody may have typed a phone number: six digits or more, and what people put between them."""
    return _PHONE.fullmatch(text) is not None and bool(_tail(text))


def _tail(text: str) -> str:
    """What a number in E.164, as its own country dials it, and as abroad does, have in common: its end. \"\" of no number."""
    digits = re.sub(r"[^0-9]", "", text)
    dialled = text.strip()
    if dialled.startswith(("+", "00")):
        with suppress(phonenumbers.NumberParseException):
            digits = str(phonenumbers.parse("+" + digits.lstrip("0"), None).national_number)
    digits = digits.lstrip("0")
    return digits if _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS else ""


def _from_the_end(text: str) -> str:
    found = _tail(text)
    if not found:
        raise ValueError("a phone number has 6 to 15 digits")
    return found[::-1] + "%"


_BETWEEN = "-.'\u2019@_/()"
"""What stands between the words of a name or an address, besides blanks."""
_FITS = f"""search LIKE ({{0}}::text[])[1] AND search LIKE ({{0}}::text[])[2] AND (cardinality({{0}}::text[]) = 2 OR
    translate(' ' || search, '{_BETWEEN.replace("'", "''")}', '{" " * len(_BETWEEN)}') LIKE ALL (({{0}}::text[])[3:]))"""
"""SQL: a customer fits what `_words` made of what was typed."""


def _words(text: str) -> list[str]:
    """Two patterns that the index looks up, which is all of one word; of several one more for each.

    One word may stand anywhere. Several come in any order, with commas or without, and each begins a word of the customer's:
    "Svensson, Anna" is Anna Svensson, and "anna berg" is not Hanna Sandberg.
    """
    words = sorted({*re.split(r"[\s,;]+", text.lower())} - {""}, key=lambda word: (-len(word), word)) or [
        text
    ]
    looked_up = [anywhere(word) for word in words[:2] if len(word) > 2] or [anywhere(words[0])]
    apart = [word.translate(dict.fromkeys(map(ord, _BETWEEN), " ")) for word in words if len(words) > 1]
    return [looked_up[0], looked_up[-1], *(anywhere(f" {word}") for word in apart)]


_TAIL = "reverse(regexp_replace(c.phone, '[^0-9]', '', 'g'))"
"""SQL: the digits of a telephone number from its end."""


LISTING = Listing(
    row=CustomerRow,
    select="""c.id, c.external_id, c.name, c.email, c.phone, c.country, c.group_name, coalesce(s.orders, 0) AS orders,
              coalesce(s.spent, '{}') AS spent, s.last_order_at, c.created_at""",
    source="""customer c LEFT JOIN LATERAL (
                  SELECT sum(orders)::int AS orders, jsonb_object_agg(currency, spent) AS spent,
                         max(last_order_at) AS last_order_at
                  FROM (SELECT c.id AS member UNION ALL SELECT m.id FROM customer m WHERE m.survivor = c.id) AS same
                       JOIN customer_spend ON customer = member) s ON true
              WHERE c.survivor IS NULL""",
    key="c.id",
    sorts={
        "created_at": Sort("c.created_at", "timestamptz"),
        "name": Sort("coalesce(lower(c.name), '')"),
        "orders": Sort("coalesce(s.orders, 0)", "int"),
        "last_order_at": Sort("coalesce(s.last_order_at, '-infinity')", "timestamptz"),
    },
    default_sort="-created_at",
    filters={
        "q": Filter(
            f"({_FITS}) OR c.id IN (SELECT survivor FROM customer WHERE survivor IS NOT NULL AND {_FITS})",
            _words,
            few=f"SELECT coalesce(survivor, id) FROM customer WHERE {_FITS}",
        ),
        "phone": Filter(
            f"""{_TAIL} LIKE {{0}}
                OR c.id IN (SELECT survivor FROM customer c WHERE survivor IS NOT NULL AND {_TAIL} LIKE {{0}})""",
            _from_the_end,
            few=f"SELECT coalesce(survivor, id) FROM customer c WHERE {_TAIL} LIKE {{0}}",
        ),
        "pool": Filter("c.pool = ANY({}::uuid[])", uuids),
        "country": Filter("c.country = {}"),
        "tag": Filter(
            """c.id IN (SELECT coalesce(k.survivor, k.id) FROM customer_tag t JOIN customer k ON k.id = t.customer
                        WHERE t.tag = ANY ({}::text[]))""",
            lambda text: texts(text.lower()),
        ),
    },
)
"""All customers with what they ordered; ``q`` has words of name, e-mail, phone and external id in any order, ``phone`` finds a number however it is written.

Those that are one person are one line, found by what any of them has.
"""


async def get(reader: Reader, customer: UUID) -> Customer | None:
    """One customer, or None."""
    return await reader.one(Customer, f"SELECT {_COLUMNS} FROM customer WHERE id = $1", customer)


async def get_many(reader: Reader, rows: Collection[UUID]) -> dict[UUID, Customer]:
    """Customers by id, those that are there."""
    found = await reader.all(Customer, f"SELECT {_COLUMNS} FROM customer WHERE id = ANY($1)", list(rows))
    return {customer.id: customer for customer in found}


async def current(reader: Reader, customer: UUID) -> Customer | None:
    """The customer that stands for this one now: itself, or the one it is the same person as. None: no such id."""
    return await reader.one(
        Customer,
        f"SELECT {_COLUMNS} FROM customer WHERE id = ({_SURVIVOR})",
        customer,
    )


async def resolve(reader: Reader, customer: UUID) -> UUID | None:
    """The id of the customer that stands for this one now; None: no such id. Ids that were given out never die."""
    found: UUID | None = await reader.value(_SURVIVOR, customer)
    return found


async def members(reader: Reader, customer: UUID) -> list[UUID]:
    """All customers that are the same person, the one that stands for them first; empty: no such id."""
    rows = await reader.rows(
        f"SELECT id FROM customer WHERE id = {_MEMBERS} ORDER BY survivor NULLS FIRST, id", customer
    )
    return [row["id"] for row in rows]


async def are_same(reader: Reader, one: UUID | None, other: UUID | None) -> bool:
    """Whether two ids are the same person's; asks nobody if they are the same id."""
    if one is None or other is None or one == other:
        return one is not None and one == other
    return bool(await reader.value("SELECT $1::uuid = ANY (customer_members(ARRAY[$2::uuid]))", one, other))


async def with_emails(reader: Reader, emails: Sequence[str]) -> list[UUID]:
    """Everybody who has one of these e-mail addresses (lower case), in any pool."""
    rows = await reader.rows("SELECT id FROM customer WHERE lower(email) = ANY($1) ORDER BY id", list(emails))
    return [row["id"] for row in rows]


async def stand_for(tx: Tx, survivors: Mapping[UUID, UUID]) -> None:
    """Note which customer stands for which; one that stands for itself is its own survivor."""
    await tx.execute(
        """
        UPDATE customer c SET survivor = nullif(t.survivor, t.id)
        FROM unnest($1::uuid[], $2::uuid[]) AS t (id, survivor)
        WHERE c.id = t.id AND c.survivor IS DISTINCT FROM nullif(t.survivor, t.id)
        """,
        list(survivors),
        list(survivors.values()),
    )


async def spend_of(reader: Reader, customer: UUID) -> list[Spend]:
    """What a person has ordered, by currency, over all customers that they are: added up when it is read."""
    return await reader.all(
        Spend,
        f"""SELECT $1::uuid AS customer, currency, sum(orders)::int AS orders, sum(spent)::bigint AS spent,
                   max(last_order_at) AS last_order_at
            FROM customer_spend WHERE customer = {_MEMBERS} GROUP BY currency ORDER BY currency""",
        customer,
    )


async def orders_of(reader: Reader, customer: UUID) -> int:
    """How many orders a person has placed, as far as they are summed up (within seconds)."""
    return int(
        await reader.value(
            f"SELECT coalesce(sum(orders), 0) FROM customer_spend WHERE customer = {_MEMBERS}", customer
        )
    )


async def lock(tx: Tx, customer: UUID) -> Customer | None:
    """One customer, held against changes until the transaction ends, or None."""
    return await tx.one(Customer, f"SELECT {_COLUMNS} FROM customer WHERE id = $1 FOR UPDATE", customer)


async def find(reader: Reader, pool: UUID, person: PersonInput) -> Customer | None:
    """The customer of a pool with this external id, else the one with this e-mail address."""
    return await reader.one(
        Customer,
        f"""SELECT {_COLUMNS} FROM customer
            WHERE pool = $1 AND (external_id = $2 OR lower(email) = lower($3))
            ORDER BY external_id = $2 DESC NULLS LAST LIMIT 1""",
        pool,
        person.external_id,
        person.email,
    )


async def lock_phone(tx: Tx, pool: UUID, phone: str) -> UUID | None:
    """Who stands for whoever in a pool has a telephone number, however it is written; until the commit nobody else asks for it."""
    tail = _tail(phone)
    if not tail:
        return None
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 6))", f"phone {pool} {tail}")
    rows = await tx.rows(
        f"""SELECT coalesce(c.survivor, c.id) AS id, c.phone FROM customer c
            WHERE c.pool = $1 AND {_TAIL} LIKE $2 ORDER BY c.id""",
        pool,
        tail[::-1] + "%",
    )
    return next((row["id"] for row in rows if _tail(row["phone"]) == tail), None)


async def insert(tx: Tx, pool: UUID, person: PersonInput) -> Customer | None:
    """Add a customer; None if the external id or the e-mail address is taken."""
    return await tx.one(
        Customer,
        f"""INSERT INTO customer (id, pool, external_id, email, name, phone, country, locale, group_name)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}""",
        new_id(),
        pool,
        *(getattr(person, name) for name in CHANGEABLE),
    )


async def insert_many(tx: Tx, pool: UUID, people: Sequence[PersonInput]) -> list[Customer]:
    """Add customers by external id or e-mail address; those that were added. One statement, in key order."""
    return await tx.all(
        Customer,
        f"""
        INSERT INTO customer (id, pool, external_id, email)
        SELECT t.id, $1, t.external_id, t.email
        FROM unnest($2::uuid[], $3::text[], $4::text[]) AS t (id, external_id, email)
        ORDER BY t.external_id, t.email
        ON CONFLICT DO NOTHING RETURNING {_COLUMNS}
        """,
        pool,
        [new_id() for _ in people],
        [person.external_id for person in people],
        [person.email for person in people],
    )


async def copy_into(tx: Tx, pool: UUID, ids: Mapping[UUID, UUID]) -> list[Customer]:
    """Copies of customers in another pool, under new ids by those that they have here."""
    return await tx.all(
        Customer,
        f"""
        INSERT INTO customer (id, pool, external_id, email, name, phone, country, locale, group_name)
        SELECT t.new, $1, c.external_id, c.email, c.name, c.phone, c.country, c.locale, c.group_name
        FROM unnest($2::uuid[], $3::uuid[]) AS t (old, new) JOIN customer c ON c.id = t.old ORDER BY t.old
        RETURNING {_COLUMNS}
        """,
        pool,
        list(ids),
        list(ids.values()),
    )


async def find_many(reader: Reader, pool: UUID, people: Sequence[PersonInput]) -> list[Customer]:
    """The customers of a pool that have one of these external ids or e-mail addresses."""
    return await reader.all(
        Customer,
        f"""SELECT {_COLUMNS} FROM customer WHERE pool = $1 AND external_id = ANY($2)
            UNION SELECT {_COLUMNS} FROM customer WHERE pool = $1 AND lower(email) = ANY($3)""",
        pool,
        [person.external_id for person in people if person.external_id],
        [person.email.lower() for person in people if person.email],
    )


async def update(tx: Tx, customer: UUID, changes: dict[str, Any]) -> Customer:
    """Set the named fields and count the version up."""
    names = [name for name in CHANGEABLE if name in changes]
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
    changed = await tx.one(
        Customer,
        f"""UPDATE customer SET {assignments}, version = version + 1, updated_at = now()
            WHERE id = $1 RETURNING {_COLUMNS}""",
        customer,
        *(changes[name] for name in names),
    )
    assert changed is not None
    return changed


class _Known(msgspec.Struct, frozen=True):
    external_id: str
    id: UUID


async def upsert_many(tx: Tx, pool: UUID, people: Sequence[PersonInput]) -> tuple[dict[str, UUID], int]:
    """Ids by external id, adding those that are not there; and how many were added. Two statements.

    Every person has an external id. An e-mail address that belongs to somebody else is left out.
    """
    ids = [person.external_id for person in people]
    added = await tx.execute(
        """
        INSERT INTO customer (id, pool, external_id, email, name, phone, country)
        SELECT p.id, $1, p.external_id,
               CASE WHEN NOT EXISTS (SELECT 1 FROM customer c WHERE c.pool = $1 AND lower(c.email) = lower(p.email))
                    THEN p.email END, p.name, p.phone, p.country
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
             AS p (id, external_id, email, name, phone, country)
        ORDER BY p.external_id
        ON CONFLICT DO NOTHING
        """,
        pool,
        [new_id() for _ in people],
        ids,
        [person.email for person in people],
        [person.name for person in people],
        [person.phone for person in people],
        [person.country for person in people],
    )
    known = await tx.all(
        _Known, "SELECT external_id, id FROM customer WHERE pool = $1 AND external_id = ANY($2)", pool, ids
    )
    return {row.external_id: row.id for row in known}, added


async def set_spend(tx: Tx, people: Sequence[UUID], spends: Sequence[Spend]) -> None:
    """Say anew, whole, what customers have ordered."""
    await tx.execute("DELETE FROM customer_spend WHERE customer = ANY ($1::uuid[])", list(people))
    await book_spend(tx, spends)


async def book_spend(tx: Tx, spends: Sequence[Spend]) -> None:
    """Add to what customers have ordered; one statement, in key order. Counts may be negative."""
    if not spends:
        return
    ordered = sorted(spends, key=lambda spend: (spend.customer.bytes, spend.currency))
    await tx.execute(
        """
        INSERT INTO customer_spend AS s (customer, currency, orders, spent, last_order_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::timestamptz[])
        ON CONFLICT (customer, currency) DO UPDATE
        SET orders = s.orders + excluded.orders, spent = s.spent + excluded.spent,
            last_order_at = greatest(s.last_order_at, excluded.last_order_at)
        """,
        [spend.customer for spend in ordered],
        [spend.currency for spend in ordered],
        [spend.orders for spend in ordered],
        [spend.spent for spend in ordered],
        [spend.last_order_at for spend in ordered],
    )


belongs(("customer_id", "other_id"), Resource.CUSTOMERS, "SELECT pool FROM customer WHERE id = $1")
