"""The book: accounts, and transactions whose entries come to zero. Every change of a balance goes through `post`.

No permission is asked for here: the verbs of gift cards, store credit and loyalty do.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from samlad.credit.model import AccountKind, Balance, EntryRow
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids


class Leg(NamedTuple):
    """One entry: an account by what it is, and the amount that is added to it. Without a holder it is the house's."""

    kind: AccountKind
    amount: int
    unit: str
    holder: UUID | None = None


async def post(
    tx: Tx,
    pool: UUID,
    kind: str,
    key: str,
    legs: Sequence[Leg],
    *,
    reference: UUID | None = None,
    reason: str = "",
) -> bool:
    """Book a transaction; False if one with this ``key`` was booked before. Two statements.

    Raises:
        asyncpg.CheckViolationError: an account would hold less than nothing, or less than is held of it.
    """
    accounts = await accounts_of(tx, pool, [(leg.kind, leg.unit, leg.holder) for leg in legs])
    booked = await tx.value(
        "SELECT credit_post($1, $2, $3, $4, $5, $6, $7, $8)",
        new_id(),
        kind,
        key,
        reference,
        reason,
        tx.actor.label,
        accounts,
        [leg.amount for leg in legs],
    )
    return bool(booked)


async def accounts_of(
    tx: Tx, pool: UUID, wanted: Sequence[tuple[AccountKind, str, UUID | None]]
) -> list[UUID]:
    """The ids of accounts by kind, unit and holder, made where there is none yet. One statement."""
    rows = await tx.rows(
        """
        SELECT credit_account_of($1, t.kind, t.unit, t.holder) AS id
        FROM unnest($2::text[], $3::text[], $4::uuid[]) WITH ORDINALITY AS t (kind, unit, holder, place) ORDER BY place
        """,
        pool,
        [str(kind) for kind, _, _ in wanted],
        [unit for _, unit, _ in wanted],
        [holder for _, _, holder in wanted],
    )
    return [row["id"] for row in rows]


async def lock(tx: Tx, pool: UUID, kind: AccountKind, unit: str, holder: UUID) -> int:
    """The balance of a holder's account, held against changes until the transaction ends."""
    (account,) = await accounts_of(tx, pool, [(kind, unit, holder)])
    balance: int = await tx.value("SELECT balance FROM credit_account WHERE id = $1 FOR UPDATE", account)
    return balance


async def lock_person(tx: Tx, kind: AccountKind, unit: str, customer: UUID) -> int:
    """What all customers that are the same person have and no payment holds; locked against changes in key order. One
    statement."""
    balance: int = await tx.value(
        """SELECT coalesce(sum(balance - held), 0)::bigint FROM (
               SELECT balance, held FROM credit_account
               WHERE holder = ANY (customer_members(ARRAY[$1::uuid])) AND kind = $2 AND unit = $3
               ORDER BY id FOR UPDATE) AS locked""",
        customer,
        kind,
        unit,
    )
    return balance


async def balances(reader: Reader, customer: UUID, kind: AccountKind) -> list[Balance]:
    """What a person has, by unit: added up over all customers that they are."""
    return await reader.all(
        Balance,
        """SELECT unit, sum(balance)::bigint AS balance, sum(held)::bigint AS held,
                  sum(balance - held)::bigint AS available
           FROM credit_account WHERE holder = ANY (customer_members(ARRAY[$1::uuid])) AND kind = $2
           GROUP BY unit ORDER BY unit""",
        customer,
        kind,
    )


async def is_booked(tx: Tx, key: str) -> bool:
    """Whether a transaction with this key was booked."""
    return bool(await tx.value("SELECT EXISTS (SELECT FROM credit_transaction WHERE key = $1)", key))


async def house_balance(reader: Reader, pool: UUID, kind: AccountKind, unit: str) -> int:
    """What the house's side of the book comes to: the sum of its entries."""
    found = await reader.value(
        """SELECT coalesce(sum(e.amount), 0)::bigint FROM credit_entry e JOIN credit_account a ON a.id = e.account
           WHERE a.pool = $1 AND a.kind = $2 AND a.unit = $3 AND a.holder IS NULL""",
        pool,
        kind,
        unit,
    )
    return int(found)


ENTRIES = Listing(
    row=EntryRow,
    select="""e.id, t.created_at AS at, a.kind AS account_kind, t.kind, a.unit, e.amount, e.balance_after, t.reason,
              t.reference, t.actor""",
    source="""credit_entry e JOIN credit_transaction t ON t.id = e.transaction JOIN credit_account a ON a.id = e.account
              WHERE a.holder = ANY ($1::uuid[])""",
    key="e.id",
    sorts={"seq": Sort("e.seq", "bigint")},
    default_sort="-seq",
    filters={
        "kind": Filter("t.kind = ANY({}::text[])", texts),
        "account": Filter("a.kind = ANY({}::text[])", texts),
        "reference": Filter("t.reference = ANY({}::uuid[])", uuids),
    },
)
"""The history of the accounts of some holders (cards, customers), newest first."""
