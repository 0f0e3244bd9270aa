"""What customers keep with us: addresses, sizes, language, favourite store."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg
import msgspec

from samlad import customers, stock
from samlad.accounts import keeping_store, store
from samlad.accounts.events import AccountDetailsChanged
from samlad.accounts.model import MOST_ADDRESSES, SavedAddress, SignedIn, Size
from samlad.carts import Address
from samlad.catalog import size_charts
from samlad.channels import Channel, Resource
from samlad.kernel import cards, log
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import LOCALES
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Outdated
from samlad.kernel.vault import CannotOpen, Vault

MOST_CHARTS = 200
_PURPOSE = "accounts.address"


def _tell(tx: Tx, signed: SignedIn, *fields: str) -> None:
    fact = AccountDetailsChanged(fields=list(fields))
    log.append(tx, fact, subject=signed.account.id, profile=signed.customer.id)


async def add_address(
    tx: Tx, signed: SignedIn, given: Address, *, delivery: bool, invoice: bool, key: UUID | None = None
) -> None:
    """Keep an address; the first one is for everything. With the same ``key`` twice it is kept once.

    Raises:
        Conflict: there are thirty.
    """
    cards.refuse([text for text in (given.name, given.line1, given.line2) if text], "line1")
    await store.lock(tx, signed.account.id)
    known = await keeping_store.addresses(tx, signed.account.id)
    if key is not None and key in {each.id for each in known}:
        return
    if len(known) >= MOST_ADDRESSES:
        raise Conflict(f"At most {MOST_ADDRESSES} addresses; remove one first.")
    delivery, invoice = delivery or not known, invoice or not known
    await keeping_store.unset_default(tx, signed.account.id, delivery=delivery, invoice=invoice)
    made = key or new_id()
    try:
        await keeping_store.insert_address(
            tx, signed.account.id, made, given, delivery=delivery, invoice=invoice
        )
    except asyncpg.UniqueViolationError:
        raise Conflict("This id is taken.") from None
    _tell(tx, signed, "addresses")


async def change_address(
    tx: Tx,
    signed: SignedIn,
    address: UUID,
    given: Address,
    *,
    delivery: bool,
    invoice: bool,
    version: int | None = None,
) -> None:
    """Write an address anew.

    Raises:
        NotFound: it is not theirs. Outdated: somebody (they themselves, elsewhere) changed it since.
    """
    cards.refuse([text for text in (given.name, given.line1, given.line2) if text], "line1")
    await store.lock(tx, signed.account.id)
    before = await own_address(tx, signed, address)
    delivery, invoice = delivery or before.is_delivery, invoice or before.is_invoice
    await keeping_store.unset_default(
        tx,
        signed.account.id,
        delivery=delivery and not before.is_delivery,
        invoice=invoice and not before.is_invoice,
    )
    if not await keeping_store.update_address(
        tx, signed.account.id, address, given, delivery=delivery, invoice=invoice, version=version
    ):
        raise Outdated("This address was changed meanwhile.")
    _tell(tx, signed, "addresses")


async def remove_address(tx: Tx, signed: SignedIn, address: UUID) -> SavedAddress:
    """Forget an address; as it was, so that it can be put back.

    Raises:
        NotFound: it is not theirs.
    """
    before = await own_address(tx, signed, address)
    await keeping_store.delete_address(tx, signed.account.id, address)
    _tell(tx, signed, "addresses")
    return before


def seal_address(keys: Vault, address: SavedAddress) -> str:
    """An address that was forgotten, so that only we can read it again: for putting it back."""
    return keys.seal(_PURPOSE, msgspec.json.encode(address)).hex()


def open_address(keys: Vault, sealed: str) -> SavedAddress:
    """What `seal_address` made.

    Raises:
        NotFound: it is not whole.
    """
    try:
        return msgspec.json.decode(keys.open(_PURPOSE, bytes.fromhex(sealed)), type=SavedAddress)
    except (CannotOpen, ValueError, msgspec.MsgspecError):
        raise NotFound("It cannot be put back.") from None


async def own_address(reader: Reader, signed: SignedIn, address: UUID) -> SavedAddress:
    """One of somebody's addresses.

    Raises:
        NotFound: it is not theirs.
    """
    found = await keeping_store.address(reader, signed.account.id, address)
    if found is None:
        raise NotFound("There is no such address.")
    return found


async def set_preferences(
    tx: Tx,
    signed: SignedIn,
    channel: Channel,
    *,
    language: str | None,
    favourite: UUID | None,
    sizes: Mapping[UUID, str],
) -> None:
    """Say whole what somebody likes.

    Raises:
        InvalidInput: a language that there is not, a store of others, a size that is not on its chart.
    """
    if language is not None and language not in LOCALES:
        raise InvalidInput.at("language", f"one of {', '.join(LOCALES)}")
    places = {place.id for place in await stock.locations(tx, channel.pools[Resource.STOCK])}
    if favourite is not None and favourite not in places:
        raise InvalidInput.at("store", "is none of our stores")
    known = {chart.id: {row.size for row in chart.rows} for chart in await charts(tx, channel)}
    for chart, size in sizes.items():
        if size not in known.get(chart, ()):
            raise InvalidInput.at(f"size-{chart}", "is none of this chart's sizes")
    await store.update(tx, signed.account.id, {"language": language, "store": favourite})
    await keeping_store.set_sizes(tx, signed.account.id, sizes)
    _tell(tx, signed, "language", "store", "sizes")


async def sizes_of(reader: Reader, actor: Actor, customer: UUID) -> list[Size]:
    """What a person wears, as far as they keep it with us. Needs ``customers.read``."""
    actor.require(customers.READ)
    return await keeping_store.sizes(reader, [each.id for each in await store.of_person(reader, customer)])


async def charts(reader: Reader, channel: Channel) -> list[size_charts.SizeChart]:
    """The size charts of what a channel sells."""
    query = ListQuery(limit=MOST_CHARTS)
    return (await size_charts.SIZE_CHARTS.page(reader, query, [channel.pools[Resource.CATALOGUE]])).items
