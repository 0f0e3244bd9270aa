"""Texts sealed with a key of their owner's own; and what a process remembers, which it forgets."""

import asyncio
from uuid import uuid4

import pytest

from samlad import customers
from samlad.channels import Resource
from samlad.customers import PersonInput, note_store
from samlad.customers import sweepers as customers_sweepers
from samlad.kernel import remembering, sealing, vault
from samlad.kernel.database import Database, Tx
from samlad.kernel.remembering import remembered
from samlad.kernel.vault import Vault
from samlad.orders import sweepers as orders_sweepers
from samlad.orders import tagging_store
from trade import BUYER, build


async def test_a_text_is_its_owners_and_gone_with_the_key(db: Database) -> None:
    one, other = uuid4(), uuid4()

    async def seal(tx: Tx) -> bytes:
        return await sealing.seal(tx, one, "test", "Kim ringer")

    # Two at once make one key.
    sealed = await asyncio.gather(*(db.transaction(seal) for _ in range(4)))
    assert await db.value("SELECT count(*) FROM personal_key") == 1
    assert len(set(sealed)) == 4
    assert await sealing.unseal(db, "test", [(one, each) for each in sealed] + [(one, None)]) == [
        *["Kim ringer"] * 4,
        "",
    ]
    theirs = await db.transaction(lambda tx: sealing.seal_many(tx, "test", [(other, "Robin"), (one, "x")]))
    assert await sealing.unseal(db, "test", [(other, theirs[0]), (one, theirs[1])]) == ["Robin", "x"]
    await db.transaction(lambda tx: tx.execute("DELETE FROM personal_key WHERE owner = $1", one))
    assert await sealing.unseal(db, "test", [(one, sealed[0]), (other, theirs[0])]) == ["", "Robin"]


async def test_a_new_key_of_the_vault_seals_the_keys_of_people_anew(db: Database) -> None:
    one = uuid4()
    sealed = await db.transaction(lambda tx: sealing.seal(tx, one, "test", "Kim"))
    old = Vault.of(db.settings)
    vault.add_key(db.settings.home)
    new = Vault.of(db.settings)
    for changed in (1, 0):
        assert await db.transaction(lambda tx: sealing.reseal_all(tx, new)) == changed
    sealing._vaults[db] = new  # as after a new start
    assert await sealing.unseal(db, "test", [(one, sealed)]) == ["Kim"]
    sealing._vaults[db] = old
    with pytest.raises(vault.CannotOpen):
        await sealing.unseal(db, "test", [(one, sealed)])


async def test_notes_of_before_are_sealed_once(db: Database) -> None:
    trade = await build(db)
    placed = await trade.place((await trade.cart((await trade.kettle(), 1), **BUYER)).id)
    pool, given = trade.web.pools[Resource.CUSTOMERS], PersonInput(email="kim@example.com")
    customer = (await db.transaction(lambda tx: customers.find_or_create(tx, pool, given))).id
    notes = [uuid4() for _ in range(3)]
    await db.rows(
        """INSERT INTO customer_note (id, customer, text, for_clerks, author)
           SELECT id, $2, 'Gammal ' || place, false, 'staff' FROM unnest($1::uuid[]) WITH ORDINALITY AS n (id, place)
           RETURNING 1""",
        notes,
        customer,
    )
    await db.rows(
        "INSERT INTO order_note (id, order_id, text, author) VALUES ($1, $2, 'Gammal', 'staff') RETURNING 1",
        uuid4(),
        placed.id,
    )
    # Read before they are sealed, and after; two workers at once do it once.
    told = {"Gammal 1", "Gammal 2", "Gammal 3"}
    assert {note.text for note in await note_store.notes_of(db, customer, all_notes=True)} == told
    done = await asyncio.gather(
        customers_sweepers.seal_notes(db), customers_sweepers.seal_notes(db), orders_sweepers.seal_notes(db)
    )
    assert (done[0] + done[1], done[2]) == (3, 1)
    assert await customers_sweepers.seal_notes(db) == 0
    assert {note.text for note in await note_store.notes_of(db, customer, all_notes=True)} == told
    assert [note.text for note in await tagging_store.notes_of(db, placed.id)] == ["Gammal"]
    assert await db.value("SELECT count(*) FROM customer_note WHERE text IS NOT NULL") == 0


async def test_what_is_remembered_of_somebody_is_forgotten_by_itself_and_when_asked() -> None:
    asked: list[str] = []

    @remembered(most=10, seconds=0.02)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [length("kim"), length("kim"), len(length)] == [3, 3, 1]
    remembering.forget_all()
    assert (len(length), asked) == (0, ["kim"])
    assert length("kim") == 3
    async with asyncio.timeout(5):  # nobody asks anything more
        while len(length):
            await asyncio.sleep(0.01)
    assert asked == ["kim", "kim"]
