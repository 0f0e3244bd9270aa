"""What customers of subscriptions are told by mail, once, and only while it is so."""

from datetime import date
from typing import Any

import msgspec
import pytest
from subscribing import Clock, Shop

from samlad import subscriptions
from samlad.kernel import mail
from samlad.kernel.mail import Mail
from samlad.kernel.vault import Vault
from samlad.subscriptions import ChangeInput


@pytest.fixture
def mailing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with a mail server."""
    settings = msgspec.structs.replace(
        shop.db.settings, smtp_host="mail.example", mail_from="shop@example.org"
    )
    monkeypatch.setattr(shop.db, "settings", settings)
    return shop


async def written(shop: Shop) -> list[Mail]:
    """Mails that wait, without those of orders."""
    rows = await shop.db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    found = [mail.open_mail(Vault.of(shop.db.settings), row["id"], bytes(row["sealed"])) for row in rows]
    return [each for each in found if "/account/subscriptions/" in each.text]


async def test_a_declined_renewal_says_when_it_is_tried_again_and_where_to_pay(mailing: Shop) -> None:
    shop = mailing
    found = await shop.start(
        (await shop.trade.kettle(20_000, 10), 1), payment={"provider": "test", "token": "decline:no-money"}
    )
    await shop.sweep()
    await shop.trade.follow()
    await shop.trade.follow()
    [first] = await written(shop)
    assert first.to == "kim@example.org"
    assert found.number in first.subject
    assert "1 februari 2027" in first.text
    assert "Kettle" in first.text
    assert first.text.endswith(f"/account/subscriptions/{found.id}")
    assert "no-money" not in first.text, "the bank's word is not for a mail"


async def test_what_was_paid_meanwhile_is_not_told(mailing: Shop) -> None:
    shop = mailing
    found = await shop.start(
        (await shop.trade.kettle(20_000, 10), 1), payment={"provider": "test", "token": "decline"}
    )
    await shop.sweep()
    change = msgspec.convert({"payment": {"provider": "test", "token": "ok"}}, ChangeInput)
    await shop.do(subscriptions.change, found, change, as_customer=True)
    await shop.sweep()
    await shop.trade.follow()
    assert await written(shop) == []


async def test_after_the_last_try_it_says_that_it_is_paused(mailing: Shop) -> None:
    shop = mailing
    await shop.settle(subscription_exhausted="pause", subscription_retry_days=[1])
    await shop.start(
        (await shop.trade.kettle(20_000, 10), 1), payment={"provider": "test", "token": "decline"}
    )
    for _ in range(2):
        await shop.sweep()
        await shop.trade.follow()
        shop.clock.on(days=1)
    first, last = await written(shop)
    assert "1 februari 2027" in first.text
    assert "pausad" in last.text


async def test_what_comes_and_what_will_cost_more_is_told_before(mailing: Shop, clock: Clock) -> None:
    shop = mailing
    kettle = await shop.trade.kettle(20_000, 10)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    await shop.trade.set_price(kettle, 25_000)
    clock.to(2027, 2, 24, 23, 30)  # the 25th in Stockholm: three days before
    await shop.sweep()
    await shop.trade.follow()
    told: Any = {
        each.subject.split(found.number)[1]: each.text.replace("\xa0", " ") for each in await written(shop)
    }
    assert len(told) == 2, told
    rising = next(text for text in told.values() if "225,00" in text)
    assert "180,00" in rising
    coming = next(text for text in told.values() if "28 februari 2027" in text and text is not rising)
    assert "1 × Kettle" in coming


async def test_what_does_not_come_is_told(mailing: Shop) -> None:
    """It came without a word: an order without some of it, one that waits, one that was left out, one that is paused."""
    shop = mailing
    kettle, cup = [
        await shop.trade.kettle(10_000, stock, title=title) for title, stock in (("Kettle", 9), ("Cup", 0))
    ]
    plans = {policy: await shop.make_plan(policy, out_of_stock=policy) for policy in ("wait", "skip", "rest")}
    made = {
        policy: await shop.start((kettle, 1), (cup, 2), plan=plan, first_on=date(2027, 1, 31))
        for policy, plan in plans.items()
    }
    far = await shop.start((kettle, 1))
    await shop.db.rows("UPDATE subscription SET address = NULL WHERE id = $1 RETURNING 1", far.id)
    await shop.sweep()
    await shop.trade.follow()
    told = {each.subject.split()[1].rstrip(":"): each for each in await written(shop)}
    assert told.keys() == {each.number for each in [*made.values(), far]}
    assert "2 × Cup" in told[made["rest"].number].text
    assert "1 × Kettle" not in told[made["rest"].number].text
    assert "28 februari 2027" in told[made["skip"].number].text
    assert "så snart" in told[made["wait"].number].text
    assert "1 februari 2027" in told[far.number].text
    shop.clock.on(hours=6)
    await shop.sweep()
    await shop.trade.follow()
    assert len(await written(shop)) == len(told), "once"


async def test_of_long_ago_nobody_is_written_to(mailing: Shop, clock: Clock) -> None:
    shop = mailing
    await shop.start(
        (await shop.trade.kettle(20_000, 10), 1), payment={"provider": "test", "token": "decline"}
    )
    await shop.sweep()
    clock.on(days=3)
    await shop.trade.follow()
    assert await written(shop) == []
