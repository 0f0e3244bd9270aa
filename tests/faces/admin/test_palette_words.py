"""What a shopkeeper, a clerk, a buyer and an accountant type into the command bar, and where it leads: within three answers."""

import msgspec
import pytest
from test_palette import hits_of

from samlad import customers
from samlad.faces.admin import palette_words, setting_names
from samlad.faces.admin.search import number_in
from samlad.faces.admin.shell import MORE_PLACES, NAVIGATION

SETTING = "/admin/channels/{web}#f-"
WANTED = {
    "en": {
        "tax": "/admin/tax", "vat": "/admin/tax", "returns window": f"{SETTING}return_days", "till pin": f"{SETTING}till_pins",
        "refund": "/admin/returns", "stock count": "/admin/stock/counts", "stocktake": "/admin/stock/counts",
        "purchase order": "/admin/stock/purchases", "coupon": "/admin/promotions", "discount code": "/admin/promotions/new",
        "shipping": "/admin/delivery", "postage": "/admin/delivery", "employees": "/admin/staff", "opening hours": "/admin/stock/locations",
        "z report": "/admin/books/days", "gdpr": "/admin/privacy", "logo": "/admin/content/brand", "barcode": "/admin/labels",
        "click and collect": f"{SETTING}pickup_days", "cash rounding": f"{SETTING}cash_step", "inbox": "/admin/conversations",
        "merge customers": "/admin/duplicates", "low stock": "/admin/stock/running-out", "expiry date": "/admin/stock/lots",
        "voucher": "/admin/gift-cards", "payouts": "/admin/payments/settlements", "my password": None, "cash register": "/pos",
        "retuns": "/admin/returns", "add product": "/admin/products/new", "receipt text": f"{SETTING}receipt_footer",
        "customer": "/admin/customers", "invoice": "/admin/documents", "return": "/admin/returns", "time zone": "/admin/channels",
        "change password": "/admin/profile", "delivery time": "/admin/delivery", "purchase price": "/admin/stock/purchases",
    },
    "sv": {
        "moms": "/admin/tax", "öppet köp": f"{SETTING}return_days", "ångerrätt": f"{SETTING}return_days", "inventering": "/admin/stock/counts",
        "pinkod": f"{SETTING}till_pins", "återbetalning": "/admin/returns", "rabattkod": "/admin/promotions/new", "frakt": "/admin/delivery",
        "anställda": "/admin/staff", "öppettider": "/admin/stock/locations", "leverantörer": "/admin/stock/purchases",
        "dagsavslut": "/admin/books/days", "presentkort": "/admin/gift-cards", "dricks": f"{SETTING}tips", "kassa": "/pos",
        "öresavrundning": f"{SETTING}cash_step", "bäst före": "/admin/stock/lots", "jämförpris": f"{SETTING}content_attribute",
        "kund": "/admin/customers", "kundgrupp": "/admin/customers", "faktura": "/admin/documents", "retur": "/admin/returns",
        "tidszon": "/admin/channels", "byt lösenord": "/admin/profile", "utlämning": "/admin/fulfilments",
        "leveranstid": "/admin/delivery", "inköpspris": "/admin/stock/purchases",
    },
    "nl": {
        "btw": "/admin/tax", "bedenktijd": f"{SETTING}return_days", "pincode": f"{SETTING}till_pins", "terugbetaling": "/admin/returns",
        "voorraadtelling": "/admin/stock/counts", "kortingscode": "/admin/promotions/new", "verzendkosten": f"{SETTING}shipping_flat",
        "medewerkers": "/admin/staff", "openingstijden": "/admin/stock/locations", "leveranciers": "/admin/stock/purchases",
        "dagafsluiting": "/admin/books/days", "cadeaubon": "/admin/gift-cards/new", "fooi": f"{SETTING}tips", "kassa": "/pos",
        "houdbaarheid": "/admin/stock/lots", "AVG": "/admin/privacy", "klant": "/admin/customers", "klantgroep": "/admin/customers",
        "factuur": "/admin/documents", "retour": "/admin/returns", "tijdzone": "/admin/channels",
        "wachtwoord wijzigen": "/admin/profile", "ophalen": "/admin/fulfilments", "levertijd": "/admin/delivery",
        "inkoopprijs": "/admin/stock/purchases",
    },
}  # fmt: skip
FIRST = 3


async def test_words_of_the_trade_lead_to_their_page_in_every_language(api, shop) -> None:
    wrong = []
    for locale, table in WANTED.items():
        for asked, wanted in table.items():
            answer = await api.get(
                "/admin/search/options", params={"q": asked}, headers={"accept-language": locale}
            )
            found = hits_of(answer.text)[:FIRST]
            if wanted is not None and wanted.format(web=shop.trade.web.id) not in found:
                wrong.append((locale, asked, found))
    assert wrong == []


async def test_things_are_found_by_what_people_know_of_them(api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    await shop.trade.follow()
    given = {"name": "Fredrika Bremerström", "email": "fredrika@arsta.example", "phone": "+46 70 123 45 67"}
    pool = shop.trade.web.pools["customers"]
    known = await shop.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, msgspec.convert(given, customers.PersonInput))
    )
    person, mug = f"/admin/customers/{known.id}", f"/admin/products/{shop.products['MUG-032']}"
    wrong = []
    for asked, wanted in {
        order.number: f"/admin/orders/{order.id}", f"#{order.number}": f"/admin/orders/{order.id}",
        f"order {order.number.lower()}": f"/admin/orders/{order.id}",
        "bremer": person, "fredrika@arsta.example": person, "070-123 45 67": person, "+46701234567": person,
        "0046 70 123 45 67": person, "0701234567": person, "MUG-032": mug, "mug-032": mug, "stonware": mug,
    }.items():  # fmt: skip
        found = hits_of((await api.get("/admin/search/options", params={"q": asked})).text)[:FIRST]
        if wanted not in found:
            wrong.append((asked, found))
    assert wrong == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("#W-1002", "W-1002"), ("order #W-1002", "W-1002"), ("gift card 4KF7", "4KF7"), ("kim larsson", "kim larsson"), ("", "")],
)  # fmt: skip
def test_the_number_in_what_is_typed(typed: str, meant: str) -> None:
    assert number_in(typed) == meant


def test_other_words_belong_to_pages_and_settings_that_are_there() -> None:
    places = {place.href for _title, group in NAVIGATION for place in group} | {
        one.href for one in MORE_PLACES
    }
    assert set(palette_words.PLACES) <= places
    assert set(palette_words.SETTINGS) <= set(setting_names.setting)
