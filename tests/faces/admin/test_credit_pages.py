"""Gift cards, store credit, points and the programme in the admin."""

import re
from uuid import UUID

import httpx
from market import hidden, text_of

from samlad import credit
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def go_on(api: httpx.AsyncClient, path: str, **sent: str) -> str:
    """What a form answers, or the page that it leads to."""
    answer = await api.post(path, data=sent, headers=PEOPLE)
    if answer.status_code == 303:
        answer = await api.get(answer.headers["location"], headers=PEOPLE)
    return answer.text


async def test_a_card_is_given_found_topped_up_blocked_and_replaced(api, shop) -> None:
    form = (await api.get("/admin/gift-cards/new", headers=PEOPLE)).text
    sent = {
        "channel": str(shop.trade.web.id),
        "amount": "1 250,50",
        "source": "given",
        "key": hidden(form, "key"),
    }
    refused = await api.post("/admin/gift-cards/new", data=sent, headers=PEOPLE)
    assert refused.status_code == 422
    assert "Say why it is given." in refused.text
    made = await api.post("/admin/gift-cards/new", data={**sent, "note": "Birthday"}, headers=PEOPLE)
    code = re.search(r"<code>([A-Z0-9-]{21})</code>", made.text)[1]
    again = await api.post("/admin/gift-cards/new", data={**sent, "note": "Birthday"}, headers=PEOPLE)
    assert again.status_code == 409, "pressed twice: one card"
    listed = (await api.get("/admin/gift-cards", headers=PEOPLE)).text
    assert code not in listed
    assert f"···· {code.replace('-', '')[-4:]}" in listed
    assert "No card has this code" in await go_on(api, "/admin/gift-cards/look-up", code="nonsense")
    found = await api.post("/admin/gift-cards/look-up", data={"code": code.lower()}, headers=PEOPLE)
    here = found.headers["location"]
    page = (await api.get(here, headers=PEOPLE)).text
    assert "1,250.50" in text_of(page)
    more = {"amount": "49,50", "reason": "Late", "key": hidden(page, "key")}
    for _ in range(2):
        page = await go_on(api, f"{here}/top-up", **more)
    assert "1,300.00" in text_of(page)
    assert "Please fill this in" in await go_on(api, f"{here}/top-up", amount="", reason="x")
    assert "pays nothing any more" in await go_on(api, f"{here}/block")
    assert "pays again" in await go_on(api, f"{here}/unblock")
    new = await api.post(f"{here}/replace", headers=PEOPLE)
    assert new.status_code == 201
    assert new.headers["cache-control"] == "no-store"
    assert "cannot be replaced" in await go_on(api, f"{here}/replace")
    card = await credit.find(shop.db, re.search(r"<code>([A-Z0-9-]{21})</code>", new.text)[1])
    assert card is not None
    assert card.available == 130_000
    assert "Moved to another card" in (await api.get(here, headers=PEOPLE)).text


async def test_a_card_is_sold_with_an_order(api, shop) -> None:
    order = await shop.buy("MUG-032", 2)
    await shop.trade.follow()
    sent = {"channel": str(shop.trade.web.id), "amount": "290", "source": "sold", "key": str(new_id())}
    assert "address of the order" in await go_on(api, "/admin/gift-cards/new", **sent)
    link = f"https://shop.example/admin/orders/{order.id}"
    made = await go_on(api, "/admin/gift-cards/new", **sent, order_number=link)
    assert "shown only this once" in made
    (card,) = (await credit.CARDS.page(shop.db, ListQuery())).items
    assert (card.origin, card.status, card.balance) == ("sold", "active", 29_000), "its order is paid already"


async def test_the_programme_is_filled_in_and_members_come_and_spend(api, shop) -> None:
    await shop.buy("KTL-150")
    await shop.trade.follow()
    (kim,) = await shop.db.rows("SELECT id FROM customer")
    here = f"/admin/customers/{kim['id']}"
    assert "no loyalty programme yet" in (await api.get(here, headers=PEOPLE)).text
    form = {
        "version": "0",
        "name": "Gathered",
        "is_active": "1",
        "period_months": "12",
        "pending_days": "",
        "rates/0/currency": "sek",
        "rates/0/spend": "10",
        "rates/0/points": "1",
        "tiers/0/code": "silver",
        "tiers/0/name": "Silver",
        "tiers/0/threshold": "100",
        "tiers/0/multiplier_percent": "150",
        "rewards/0/code": "fifty",
        "rewards/0/name": "50 kr",
        "rewards/0/points": "50",
        "rewards/0/kind": "store_credit",
        "rewards/0/amount": "50,00",
        "rewards/0/currency": "SEK",
        "rewards/1/code": "card",
        "rewards/1/name": "A card",
        "rewards/1/points": "20",
        "rewards/1/kind": "gift_card",
        "rewards/1/amount": "20",
        "rewards/1/currency": "SEK",
        "rewards/2/kind": "store_credit",
    }
    wrong = await api.post("/admin/loyalty", data={**form, "rates/0/points": "many"}, headers=PEOPLE)
    assert 'id="f-rates/0/points-error"' in wrong.text, "told at its field"
    assert wrong.status_code == 422
    assert 'value="50,00"' in wrong.text, "what was typed is still there"
    assert "Saved." in await go_on(api, "/admin/loyalty", **form)
    made = await credit.programme(shop.db, shop.trade.web.pools[Resource.CUSTOMERS])
    assert made is not None
    assert (made.rates[0].spend, made.rewards[1].amount, len(made.rewards)) == (1_000, 2_000, 2)
    stale = await api.post("/admin/loyalty", data=form, headers=PEOPLE)
    assert stale.status_code == 412
    assert "member and have a code" in await go_on(api, f"{here}/join")
    page = await go_on(api, f"{here}/points", points="120", reason="Welcome", key=str(new_id()))
    assert "120 points" in text_of(page)
    assert "<svg" in page
    spent = {"reward": "fifty", "key": hidden(page, "key")}
    for _ in range(2):
        page = await go_on(api, f"{here}/rewards", **spent)
    assert "70 points" in text_of(page)
    assert "before" in text_of(page), "pressed twice: told, not done twice"
    card = await api.post(f"{here}/rewards", data={"reward": "card", "key": str(new_id())}, headers=PEOPLE)
    assert card.status_code == 201
    assert re.search(r"<code>[A-Z0-9-]{21}</code>", card.text)
    page = await go_on(api, f"{here}/store-credit", amount="12,50", currency="sek", reason="Late", key="")
    assert "62.50" in text_of(page)
    assert "Please write 0.01 or more" in await go_on(
        api, f"{here}/store-credit", amount="0", currency="SEK", reason="x"
    )
    assert [one.available for one in await credit.of_customer(shop.db, UUID(str(kim["id"])))] == [6_250]


async def test_who_may_not_give_is_not_asked_to(api_as, shop) -> None:
    await shop.buy("KTL-150")
    await shop.trade.follow()
    (kim,) = await shop.db.rows("SELECT id FROM customer")
    clerk = Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(Role.STORE))
    async with api_as(clerk, **PEOPLE) as api:
        page = (await api.get(f"/admin/customers/{kim['id']}")).text
        assert "Give store credit" not in page
        sent = {"amount": "10", "currency": "SEK", "reason": "x"}
        assert (await api.post(f"/admin/customers/{kim['id']}/store-credit", data=sent)).status_code == 403
        assert (await api.post("/admin/loyalty", data={"name": "x"})).status_code == 403
        new = (await api.get("/admin/gift-cards/new")).text
        assert 'value="given"' not in new
