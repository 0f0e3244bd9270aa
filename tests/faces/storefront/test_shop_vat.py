"""A business in the checkout: its VAT number at its field, what it then pays, and what it is told."""

import httpx
import pytest
from market import Market, hidden, put_in, text_of
from test_shop_buying import at_checkout

from samlad import channels
from samlad.channels import ChannelChange
from samlad.tax import checking
from samlad.tax.vies import ViesAnswer, ViesSilent

FIRM = {
    "line1": "Papendorpseweg 100", "postal_code": "3528 BJ", "city": "Utrecht", "country": "NL",
    "vat_number": "NL 004495445 B01",
}  # fmt: skip


class Desk:
    """What VIES says now; the JSON of the real one is tested in tests/tax."""

    def __init__(self) -> None:
        self.says: bool | None = True

    async def check(self, number: str, requester: str | None = None) -> ViesAnswer:
        if self.says is None:
            raise ViesSilent("MS_UNAVAILABLE")
        return ViesAnswer(is_valid=self.says)


@pytest.fixture
async def desk(market: Market):
    made = Desk()
    before = checking.use(made)
    change = ChannelChange(
        settings={
            **market.web.own.settings,
            "tax_oss": True,
            "tax_vat_number": "optional",
            "tax_foreign_price": "net_if_untaxed",
        }
    )
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    yield made
    checking.use(before)


async def test_without_the_setting_nobody_is_asked(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(stock=(2,))).variants[0]
    await put_in(guest, kettle.id)
    await at_checkout(guest)
    assert 'name="vat_number"' not in (await guest.get("/checkout")).text


async def test_a_checked_firm_sees_its_total_before_it_pays(
    guest: httpx.AsyncClient, market: Market, desk: Desk
) -> None:
    kettle = (await market.product(price=12_500, stock=(2,))).variants[0]
    await put_in(guest, kettle.id)
    form = await at_checkout(guest) | FIRM
    assert int(form["total"]) == 12_500 + 4_900
    seen = await guest.post("/checkout", data=form)
    text = text_of(seen.text)
    assert seen.status_code == 409, text
    assert "The total has changed with what you chose." in text
    assert "Your VAT number is checked." in text
    assert "Intra-Community supply, exempt under article 138" in text
    total = hidden(seen.text, "total")
    assert int(total) == 10_000 + 3_920
    bought = await guest.post("/checkout", data=form | {"total": total})
    assert bought.status_code == 303, text_of(bought.text)
    assert "Intra-Community supply" in text_of((await guest.get(bought.headers["location"])).text)
    [order] = await market.db.rows("SELECT total, tax, vat_number, vat_check FROM orders")
    assert tuple(order) == (13_920, 0, "NL004495445B01", "valid")


async def test_a_number_that_is_none_is_told_at_its_field(
    guest: httpx.AsyncClient, market: Market, desk: Desk
) -> None:
    kettle = (await market.product(stock=(2,))).variants[0]
    await put_in(guest, kettle.id)
    form = await at_checkout(guest) | FIRM
    wrong = await guest.post("/checkout", data=form | {"vat_number": "NL12"})
    assert wrong.status_code == 422
    assert 'id="f-vat_number-error"' in wrong.text
    assert 'value="NL12"' in wrong.text, "what was typed is still there"
    desk.says = False
    denied = await guest.post("/checkout", data=form)
    assert denied.status_code == 422
    assert "does not know this number" in text_of(denied.text)
    assert await market.orders() == []


async def test_silent_vies_keeps_nobody_from_buying(
    guest: httpx.AsyncClient, market: Market, desk: Desk
) -> None:
    kettle = (await market.product(price=12_500, stock=(2,))).variants[0]
    await put_in(guest, kettle.id)
    desk.says = None
    form = await at_checkout(guest) | FIRM
    bought = await guest.post("/checkout", data=form)
    assert bought.status_code == 303, text_of(bought.text)
    [order] = await market.db.rows("SELECT total, vat_check FROM orders")
    assert tuple(order) == (17_400, "format"), "with Dutch tax in it, and checked later"
    again = await guest.post("/checkout", data=form)
    assert again.status_code == 303, "pressed twice it is the same order"
    assert len(await market.orders()) == 1
