"""The SQL for what customers keep with us: addresses and sizes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from samlad.accounts.model import SavedAddress, Size
from samlad.carts import Address
from samlad.kernel.database import Reader, Tx
from samlad.profile import KnownSize

_ADDRESS = "id, address, is_delivery, is_invoice, version"


async def addresses(reader: Reader, account_id: UUID) -> list[SavedAddress]:
    """What an account keeps, the delivery address first."""
    return await reader.all(
        SavedAddress,
        f"""SELECT {_ADDRESS} FROM account_address WHERE account = $1
            ORDER BY is_delivery DESC, is_invoice DESC, id""",
        account_id,
    )


async def address(reader: Reader, account_id: UUID, address_id: UUID) -> SavedAddress | None:
    """One of them."""
    return await reader.one(
        SavedAddress,
        f"SELECT {_ADDRESS} FROM account_address WHERE account = $1 AND id = $2",
        account_id,
        address_id,
    )


async def unset_default(tx: Tx, account_id: UUID, *, delivery: bool, invoice: bool) -> None:
    """Another address is to be the one for these."""
    await tx.execute(
        """UPDATE account_address SET is_delivery = is_delivery AND NOT $2, is_invoice = is_invoice AND NOT $3
           WHERE account = $1 AND ((is_delivery AND $2) OR (is_invoice AND $3))""",
        account_id,
        delivery,
        invoice,
    )


async def insert_address(
    tx: Tx, account_id: UUID, address_id: UUID, given: Address, *, delivery: bool, invoice: bool
) -> None:
    """Keep an address."""
    await tx.execute(
        "INSERT INTO account_address (id, account, address, is_delivery, is_invoice) VALUES ($1, $2, $3, $4, $5)",
        address_id,
        account_id,
        msgspec.to_builtins(given),
        delivery,
        invoice,
    )


async def update_address(
    tx: Tx,
    account_id: UUID,
    address_id: UUID,
    given: Address,
    *,
    delivery: bool,
    invoice: bool,
    version: int | None,
) -> bool:
    """Write it anew; False if it is gone, or not the version that was seen."""
    return bool(
        await tx.execute(
            """UPDATE account_address SET address = $3, is_delivery = $4, is_invoice = $5, version = version + 1
               WHERE account = $1 AND id = $2 AND ($6::int IS NULL OR version = $6)""",
            account_id,
            address_id,
            msgspec.to_builtins(given),
            delivery,
            invoice,
            version,
        )
    )


async def delete_address(tx: Tx, account_id: UUID, address_id: UUID) -> bool:
    """Forget an address."""
    return bool(
        await tx.execute("DELETE FROM account_address WHERE account = $1 AND id = $2", account_id, address_id)
    )


async def sizes(reader: Reader, accounts: Sequence[UUID]) -> list[Size]:
    """What somebody wears, by the name of the chart."""
    return await reader.all(
        Size,
        """SELECT DISTINCT ON (h.name, s.chart) s.chart, h.name, s.size
           FROM account_size s JOIN size_chart h ON h.id = s.chart WHERE s.account = ANY($1) ORDER BY h.name, s.chart""",
        list(accounts),
    )


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a person chose in any of their accounts; of several the one used last has its say."""

    language: str | None
    store: UUID | None
    sizes: list[KnownSize]


async def kept_by(reader: Reader, customer: UUID) -> Kept:
    """What the person that a customer is chose. One statement."""
    found = await reader.one(
        Kept,
        """
        WITH mine AS MATERIALIZED (
            SELECT id, language, store, signed_in_at FROM account WHERE customer = ANY (customer_members(ARRAY[$1::uuid]))
        ), worn AS (
            SELECT DISTINCT ON (s.chart) s.chart, h.name, s.size
            FROM mine m JOIN account_size s ON s.account = m.id JOIN size_chart h ON h.id = s.chart
            ORDER BY s.chart, m.signed_in_at DESC NULLS LAST, m.id
        )
        SELECT (SELECT language FROM mine WHERE language IS NOT NULL ORDER BY signed_in_at DESC NULLS LAST, id LIMIT 1),
               (SELECT store FROM mine WHERE store IS NOT NULL ORDER BY signed_in_at DESC NULLS LAST, id LIMIT 1),
               coalesce((SELECT jsonb_agg(to_jsonb(worn) ORDER BY name, chart) FROM worn), '[]') AS sizes
        """,
        customer,
    )
    assert found is not None
    return found


async def set_sizes(tx: Tx, account_id: UUID, wanted: Mapping[UUID, str]) -> None:
    """What somebody wears, whole."""
    await tx.execute(
        """
        WITH gone AS (DELETE FROM account_size WHERE account = $1 AND NOT (chart = ANY($2)))
        INSERT INTO account_size (account, chart, size) SELECT $1, t.chart, t.size
        FROM unnest($2::uuid[], $3::text[]) AS t (chart, size) ORDER BY t.chart
        ON CONFLICT (account, chart) DO UPDATE SET size = excluded.size
        """,
        account_id,
        list(wanted),
        list(wanted.values()),
    )
