"""Coming in: by link, code, password; twice, at once, expired, elsewhere, and not at all."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

import horizon
from account_people import VISITOR, Post
from samlad import accounts, channels, customers, identity, privacy
from samlad.accounts import NotGood, Opened, SignedIn, SignInFailed
from samlad.channels import ChannelInput, ChannelKind, Resource
from samlad.customers import PersonInput
from samlad.identity import MergeInput
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.privacy import running
from trade import Trade, build

CLERK = Context(
    actor=Actor(kind="staff", id=UUID(int=7), name="Cleo", permissions=frozenset({accounts.HELP}))
)
SECRET = "seven grey otters swim"


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


@pytest.fixture
def post(db: Database, settings: Settings, trade: Trade) -> Post:
    return Post(db, settings, trade.web)


async def is_known(post: Post, opened: Opened) -> SignedIn:
    found = await post.who(opened)
    assert found is not None
    return found


async def test_a_link_works_once_for_two_at_once_and_makes_one_account(post: Post, trade: Trade) -> None:
    db, pool = post.db, trade.web.pools[Resource.CUSTOMERS]
    first, second = await post.ask("kim@example.org", browser="mine"), await post.ask("kim@example.org")
    assert first != second
    info = await accounts.look(db, first, trade.web, "mine")
    assert (info.email, info.is_own) == ("kim@example.org", True)
    assert not (await accounts.look(db, first, trade.web, "theirs")).is_own
    assert not (await accounts.look(db, second, trade.web, None)).is_own

    async def use() -> Opened:
        return await db.transaction(lambda tx: accounts.with_link(tx, trade.web, first), VISITOR)

    answers = await asyncio.gather(use(), use(), use(), return_exceptions=True)
    opened = [each for each in answers if isinstance(each, Opened)]
    assert [type(each) for each in answers if not isinstance(each, Opened)] == [NotGood, NotGood]
    assert opened[0].is_new
    # The other link that was on its way is over too.
    with pytest.raises(NotGood):
        await accounts.look(db, second, trade.web, None)
    again = await post.sign_in("kim@example.org")
    assert (again.account.id, again.is_new) == (opened[0].account.id, False)
    assert again.token != opened[0].token
    # It is a unique identifier of one person, with the address that was proved.
    await trade.follow()
    profile = await identity.read(db, again.customer.id)
    assert {(str(each.kind), each.value) for each in profile.identifiers} >= {
        ("login", str(again.account.id)),
        ("email", "kim@example.org"),
    }
    assert (await customers.find(db, pool, PersonInput(email="kim@example.org"))) == again.customer
    rows = await db.rows("SELECT type, payload::text AS said FROM event WHERE type LIKE 'account.%'")
    assert sorted(row["type"] for row in rows) == ["account.opened", "account.signed-in", "account.signed-in"]
    assert not [row for row in rows if "kim@" in row["said"] or "192.0.2.1" in row["said"]]


async def test_expired_and_foreign_links_and_sessions_are_worth_nothing(post: Post, trade: Trade) -> None:
    db = post.db
    token = await post.ask("kim@example.org")
    await db.rows("UPDATE account_link SET expires_at = now() - interval '1 second' RETURNING 1")
    with pytest.raises(NotGood):
        await db.transaction(lambda tx: accounts.with_link(tx, trade.web, token), VISITOR)
    assert await db.value("SELECT count(*) FROM account") == 0
    other = await db.transaction(
        lambda tx: channels.create(
            tx,
            ChannelInput(code="apart", name="Apart", kind=ChannelKind.WEBSHOP, country="SE", locale="sv",
                         currency="SEK", time_zone="Europe/Stockholm"),
        )
    )  # fmt: skip
    good = await post.ask("kim@example.org")
    with pytest.raises(NotGood):
        await db.transaction(lambda tx: accounts.with_link(tx, other, good), VISITOR)
    opened = await post.sign_in("kim@example.org")
    assert await post.who(opened, other) is None
    assert await post.who(opened, trade.malmo) is not None  # a store of the same customers
    await db.rows("UPDATE account_session SET idle_until = now() RETURNING 1")
    assert await post.who(opened) is None


async def test_a_code_of_the_till_is_good_once_and_five_tries(post: Post, trade: Trade) -> None:
    db, pool = post.db, trade.web.pools[Resource.CUSTOMERS]
    kim = await db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="kim@example.org", external_id="K-7"))
    )
    with pytest.raises(Forbidden):
        await db.transaction(lambda tx: accounts.show(tx, kim.id, trade.malmo), VISITOR)

    async def show() -> accounts.TillCode:
        return await db.transaction(lambda tx: accounts.show(tx, kim.id, trade.malmo), CLERK)

    old, code = await show(), await show()
    secret = code.path.rpartition("/")[2]
    assert not await accounts.is_good(db, old.path.rpartition("/")[2], trade.web)
    assert await accounts.is_good(db, secret, trade.web)

    async def scan() -> Opened:
        return await db.transaction(lambda tx: accounts.with_secret(tx, trade.web, secret), VISITOR)

    answers = await asyncio.gather(scan(), scan(), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["NotGood", "Opened"]

    def typed(whose: str, digits: str, remote: str = "192.0.2.2") -> Any:
        context = Context(actor=VISITOR.actor, remote=remote)
        return accounts.with_digits(db, context, trade.web, whose, digits)

    code = await show()
    with pytest.raises(SignInFailed):  # somebody else's name with the right digits
        await typed("robin@example.org", code.code)
    opened = await typed("k-7".upper(), f"{code.code[:3]} {code.code[3:]}")
    assert (opened.customer.id, opened.session.means) == (kim.id, "code")
    with pytest.raises(SignInFailed):
        await typed("K-7", code.code)
    # Fifty at once are fifty tries: after five wrong ones the right code is worth nothing.
    code = await show()
    wrong = f"{(int(code.code) + 1) % 10**6:06d}"
    await db.rows("DELETE FROM sign_in_attempt RETURNING 1")
    tries = [typed("kim@example.org", wrong, f"198.51.100.{number}") for number in range(5)]
    assert {type(each) for each in await asyncio.gather(*tries, return_exceptions=True)} == {SignInFailed}
    await db.rows("DELETE FROM sign_in_attempt RETURNING 1")
    with pytest.raises(SignInFailed):
        await typed("kim@example.org", code.code)
    # An expired one too.
    code = await show()
    await db.rows("UPDATE account_code SET expires_at = now() RETURNING 1")
    with pytest.raises(SignInFailed):
        await typed("kim@example.org", code.code)
    for _ in range(10):
        try:
            await typed("kim@example.org", wrong)
        except SignInFailed:
            continue
        except TooMany:
            break
    else:
        pytest.fail("nobody is kept from trying on")


async def test_a_password_signs_in_and_tells_nothing(post: Post, trade: Trade) -> None:
    db, web = post.db, trade.web
    opened, elsewhere = await post.sign_in("kim@example.org"), await post.sign_in("kim@example.org")
    kim = await is_known(post, opened)
    for weak in ("kettle", "kim example org 12", "Password1234!"):
        with pytest.raises(InvalidInput):
            await accounts.set_password(db, VISITOR, kim, weak)
    await accounts.set_password(db, VISITOR, kim, SECRET)
    assert await post.who(elsewhere) is None, "other devices are signed out"
    assert await post.who(opened) is not None

    async def answer(email: str, password: str) -> str:
        try:
            return (await accounts.with_password(db, VISITOR, web, email, password)).session.means
        except SignInFailed as problem:
            return problem.detail

    assert await answer(" KIM@example.org ", SECRET) == "password"
    await post.sign_in("robin@example.org")  # has an account, but no password
    said = {
        await answer("kim@example.org", "wrong"),
        await answer("robin@example.org", SECRET),
        await answer("nobody@example.org", SECRET),
    }
    assert len(said) == 1
    # An unknown address pauses as a known one does.
    for email in ("kim@example.org", "nobody@example.org"):
        tries = [answer(email, "wrong") for _ in range(8)]
        assert TooMany in {type(each) for each in await asyncio.gather(*tries, return_exceptions=True)}
    fact = await db.row(
        "SELECT payload::text AS said, personal FROM event WHERE type = 'account.locked' LIMIT 1"
    )
    assert fact is not None
    assert ("@" in fact["said"], fact["personal"]) == (False, None)


async def test_links_are_sent_alike_and_not_without_end(post: Post, trade: Trade) -> None:
    await post.sign_in("kim@example.org")
    await post.db.rows("DELETE FROM mail_outbox RETURNING 1")
    await post.ask("kim@example.org")
    await post.ask("nobody@example.org")
    known, unknown = [
        each.text.replace(token, "") for each, token in
        zip(await post.mails(), [(await post.tokens(to))[0] for to in ("kim@example.org", "nobody@example.org")], strict=True)
    ]  # fmt: skip
    assert known == unknown
    assert await post.db.value("SELECT count(*) FROM account") == 1, "asking makes no account"
    for _ in range(4):
        await accounts.count_ask(post.db, VISITOR, trade.web, "kim@example.org")
    with pytest.raises(TooMany):
        await accounts.count_ask(post.db, VISITOR, trade.web, "kim@example.org")
    await accounts.count_ask(post.db, VISITOR, trade.web, "robin@example.org")
    asked = [accounts.count_ask(post.db, VISITOR, trade.web, f"{n}@example.org") for n in range(20)]
    assert TooMany in {type(each) for each in await asyncio.gather(*asked, return_exceptions=True)}
    with pytest.raises(InvalidInput):
        accounts.address_of("kim at example")


async def test_merged_and_taken_apart_while_signed_in(post: Post, trade: Trade) -> None:
    db, pool = post.db, trade.web.pools[Resource.CUSTOMERS]
    old = await db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(external_id="OLD-1"))
    )
    await trade.follow()
    opened = await post.sign_in("kim@example.org")
    own = opened.customer.id
    await trade.follow()
    merged = await db.transaction(
        lambda tx: identity.merge(tx, MergeInput(profiles=[old.id, own], reason="Showed both cards"))
    )
    await trade.follow()
    signed = await is_known(post, opened)
    assert await customers.are_same(db, signed.customer.id, old.id)
    again = await post.sign_in("kim@example.org")
    assert again.account.id == opened.account.id, "one person, one account"
    await db.transaction(lambda tx: identity.undo(tx, merged.id, "Not them"))
    await trade.follow()
    signed = await is_known(post, opened)
    assert signed.customer.id == own
    assert not await customers.are_same(db, signed.customer.id, old.id)


async def test_an_erased_person_cannot_sign_in(
    post: Post, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SETTLE_SECONDS", 0)
    db, keys = post.db, Vault.of(post.settings)
    opened = await post.sign_in("kim@example.org")
    kim = await is_known(post, opened)
    await accounts.set_password(db, VISITOR, kim, SECRET)
    waiting = await post.ask("kim@example.org")
    code = await db.transaction(lambda tx: accounts.show(tx, kim.customer.id, trade.malmo), CLERK)
    data = privacy.RequestInput(kind=privacy.RequestKind.ERASURE, person=kim.customer.id, after_minutes=0)
    request = await db.transaction(lambda tx: privacy.ask(tx, data))
    await running.erase(db, keys, request.id)
    assert (await privacy.get(db, request.id)).state == "done"
    await horizon.passed(db)
    assert await post.who(opened) is None
    for attempt in (
        lambda: accounts.with_password(db, VISITOR, trade.web, "kim@example.org", SECRET),
        lambda: db.transaction(lambda tx: accounts.with_link(tx, trade.web, waiting), VISITOR),
        lambda: db.transaction(
            lambda tx: accounts.with_secret(tx, trade.web, code.path.rpartition("/")[2]), VISITOR
        ),
    ):
        with pytest.raises((SignInFailed, NotGood)):
            await attempt()
    assert await db.value("SELECT count(*) FROM mail_outbox") == 0
    # Whoever comes back is somebody new.
    back = await post.sign_in("kim@example.org")
    assert back.customer.id != kim.customer.id


async def test_another_address_needs_both(post: Post, trade: Trade) -> None:
    db, keys = post.db, Vault.of(post.settings)
    opened = await post.sign_in("kim@example.org")
    kim = await is_known(post, opened)

    async def ask(email: str) -> None:
        await db.transaction(
            lambda tx: accounts.ask_mail_change(
                tx, keys, kim, trade.web, email, base_url="http://shop.test", locale="sv"
            ),
            VISITOR,
        )

    async def confirm(token: str) -> accounts.MailChange:
        return await db.transaction(lambda tx: accounts.confirm_mail_change(tx, trade.web, token), VISITOR)

    await ask("new@example.org")
    new, old = (await post.tokens("new@example.org"))[0], (await post.tokens("kim@example.org"))[0]
    for _ in range(2):
        assert (await confirm(new)).old_said is False
    assert (await is_known(post, opened)).account.email == "kim@example.org"
    await confirm(old)
    assert (await is_known(post, opened)).account.email == "new@example.org"
    with pytest.raises(NotGood):
        await confirm(new)
    # An address that has an account is told of only to who reads its mail, and is not taken.
    await post.sign_in("robin@example.org")
    kim = await is_known(post, opened)
    await ask("robin@example.org")
    await confirm((await post.tokens("new@example.org"))[0])
    with pytest.raises(Conflict):
        await confirm((await post.tokens("robin@example.org"))[0])
    assert (await is_known(post, opened)).account.email == "new@example.org"
    # Long after signing in one must do it once more first.
    await db.rows("UPDATE account_session SET created_at = now() - interval '1 hour' RETURNING 1")
    kim = await is_known(post, opened)
    with pytest.raises(accounts.SignInAgain):
        await ask("other@example.org")


async def test_devices_end_only_ones_own(post: Post, trade: Trade) -> None:
    db = post.db
    first, second, robin = [
        await post.sign_in(email) for email in ("kim@example.org", "kim@example.org", "robin@example.org")
    ]
    kim = await is_known(post, first)
    assert {each.id for each in await accounts.sessions(db, [kim.account.id])} == {
        first.session.id,
        second.session.id,
    }
    with pytest.raises(NotFound):
        await db.transaction(lambda tx: accounts.end(tx, kim, robin.session.id))
    await db.transaction(lambda tx: accounts.end(tx, kim, second.session.id))
    assert (await post.who(second), await post.who(robin) is not None) == (None, True)
    with pytest.raises(Forbidden):
        await db.transaction(lambda tx: accounts.end_all(tx, kim.customer.id), VISITOR)
    assert await db.transaction(lambda tx: accounts.end_all(tx, kim.customer.id), CLERK) == 1
    assert await post.who(first) is None
    await db.transaction(lambda tx: accounts.sign_out(tx, robin.token))
    await db.transaction(lambda tx: accounts.sign_out(tx, robin.token))
    assert await post.who(robin) is None
