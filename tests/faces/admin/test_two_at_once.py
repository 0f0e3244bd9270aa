"""Two people at the same form: who comes second is told, and decides; nobody's change is lost without a word."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from samlad.faces import admin
from samlad.faces.form import MEANWHILE

PEOPLE = {"accept": "text/html", "accept-language": "en"}
TEMPLATES = Path(admin.__file__).parent / "templates" / "admin"
_ADDED = "adds something; nothing that is there is written over"
_ACT = "one decision about a thing that is in a state: what was done already is refused or is the same again"
_DATED = "each is kept beside those before it, and can be put back"
_OWN = "one's own, and nothing of it is shown to be written over"
_PICKED = "an act on rows that were picked, with an undo, a state that refuses, or a preview"
_SETUP = "the path of a new shop: answered by one person, before anything is there"

NO_VERSION = {
    "book_day.html": _ACT, "book_settings.html|/accounts": _DATED, "book_tip_payout.html": _ACT, "book_tips_pay.html": _ACT, "book_voucher.html": _ACT,
    "brand.html|content/pictures": _ADDED, "card_terminals.html": _ADDED, "channel_new.html": _ADDED, "confirm.html": _OWN, "consent.html": _DATED,
    "conversation.html": "a message is added; who takes it, and until when, is one choice that its thread tells", "conversation_new.html": _ADDED,
    "customer_credit.html": _ADDED, "customer_identity.html": _ACT, "customer_person.html|/tags": _ADDED, "customer_person.html|/notes": _ADDED,
    "customer_person.html|/household": _ACT, "customer_new.html": _ADDED, "customer_privacy.html": _DATED, "customers.html": _PICKED, "destination_new.html": _ADDED,
    "gift_card.html": _ADDED, "gift_card_new.html": _ADDED, "gift_cards.html": "looks something up", "gift_cards_waiting.html": _ACT,
    "identity_conflicts.html": _ACT, "identity_cut.html": _ACT, "identity_rules.html": _DATED, "import.html": _ACT, "import_new.html": _ADDED,
    "inbound_mails.html": _ACT, "key_new.html": _ADDED, "legal_entity_new.html": _ADDED, "link.html": _OWN, "oauth_client.html|/secrets": _ADDED,
    "oauth_client_new.html": _ADDED, "order_change.html": "a preview of the order as it is comes first", "order_draft.html": "a cart, whose lines have versions of their own",
    "order_new.html": _ADDED, "order_papers.html": _ADDED, "order_words.html": _ADDED, "orders.html": _PICKED, "page_editor.html|content/pictures": _ADDED,
    "pictures.html": _ADDED, "pool_pairs.html": "one decision each, with an undo", "product_new.html": _ADDED, "profile.html": _OWN, "profile_codes.html": _OWN,
    "promotion.html|/links": _ADDED, "promotion.html|/codes": _ADDED, "promotion_new.html": _ADDED, "questions.html": _PICKED,
    "redirects.html": "one line each that names its own address", "return_announce.html": _ADDED, "return_unknown.html": _ADDED, "reviews.html": _PICKED,
    "routing_form.html": "each is a version of its own, which holds only when somebody lets it",
    "segment.html|/list": _ADDED, "sign_in.html": _OWN, "sign_in_code.html": _OWN, "staff_new.html": _ADDED, "start/delivery.html": _SETUP,
    "start/payment.html": _SETUP, "start/place.html": _SETUP, "start/product.html": _SETUP, "start/seller.html": _SETUP, "start/shop.html": _SETUP,
    "start/staff.html": _ADDED, "start/tax.html": _SETUP, "stock.html": _PICKED, "stock_count.html": "each entry is kept; two that differ are shown",
    "stock_counts.html": _ADDED, "stock_purchases.html": _ADDED, "stock_purchases_new.html": _ADDED,
    "stock_recalls.html": _ADDED, "stock_receipts_new.html": _ADDED, "stock_reorder.html": _ADDED, "stock_supplier_return.html|/credit": _ACT,
    "stock_supplier_return_new.html": _ADDED, "stock_transfers_new.html": _ADDED, "till_device.html|/put-away": _ACT, "till_key.html": _ACT, "till_sales.html": _ACT, "tracking_new.html": _ADDED,
    "tracking_plan_import.html": _DATED, "tracking_schema.html": _DATED, "tracking_source.html|/keys": _ADDED, "website.html": _ADDED,
}  # fmt: skip
"""Forms without a version, by template and a piece of the address, and why they need none."""

_OPENS = re.compile(r"<form\b|\{%-?\s*call ui\.form\(")
_CALLS = re.compile(r"\{%-?\s*(call\b|endcall)")
_ASKS = re.compile(
    r'(?:\bp|ui)\.(?:field|textarea|select|checkbox|stepper|radios)\(|<(?:select|textarea|input(?![^>]*type="hidden"))\b'
)


def _forms(text: str) -> list[str]:
    """The forms of a template that ask for something and change something."""
    found = []
    for hit in _OPENS.finditer(text):
        if hit[0].startswith("<form"):
            end = text.find("</form>", hit.start())
        else:
            depth, end = 0, len(text)
            for call in _CALLS.finditer(text, hit.start()):
                depth += 1 if call[1] == "call" else -1
                if depth == 0:
                    end = call.start()
                    break
        form = text[hit.start() : end]
        is_get = form.startswith("<form") and 'method="post"' not in form
        if not is_get and _ASKS.search(form):
            found.append(form)
    return found


def test_every_form_knows_what_it_was_filled_from_or_says_why_not() -> None:
    bare, used = [], set()
    for path in sorted(TEMPLATES.rglob("*.html")):
        name = str(path.relative_to(TEMPLATES))
        for form in _forms(path.read_text()):
            if 'name="version"' in form or "{{ version }}" in form:
                continue
            whole = [key for key in NO_VERSION if key == name]
            piece = [key for key in NO_VERSION if key.startswith(f"{name}|") and key.split("|")[1] in form]
            used |= set(whole + piece)
            if not whole + piece:
                bare.append(f"{name}: {form[:120]}")
    assert bare == [], "give them a version (or a mark, see kernel/seen.py), or say why they need none"
    assert sorted(NO_VERSION.keys() - used) == [], "these forms are no longer there, or have a version now"


def _version_in(page: str, action: str) -> str:
    """The version in the form that leads to an address."""
    forms = re.findall(r"<form\b.*?</form>", page, re.DOTALL)
    mine = [form for form in forms if f'action="{action}"' in unescape(form) and 'name="version"' in form]
    found = re.search(r'name="version" value="([0-9]+)"', mine[-1])
    assert found is not None, mine[-1][:300]
    return found[1]


async def _two(
    api: httpx.AsyncClient, page: str, action: str, mine: dict[str, str], theirs: dict[str, str]
) -> str:
    """Two people fill the same form; the second one is asked, sees what they typed, and puts it over the other's then."""
    seen = _version_in((await api.get(page, headers=PEOPLE)).text, action)
    first = await api.post(action, data=theirs | {"version": seen}, headers=PEOPLE)
    assert first.status_code == 303, (action, first.text[:500])
    second = await api.post(action, data=mine | {"version": seen}, headers=PEOPLE)
    assert second.status_code == 412, (action, second.status_code)
    assert MEANWHILE in unescape(second.text), action
    now = _version_in(second.text, action)
    assert now != seen
    again = await api.post(action, data=mine | {"version": now}, headers=PEOPLE)
    assert again.status_code == 303, (action, again.text[:500])
    return second.text


async def test_who_comes_second_is_asked(api: httpx.AsyncClient, shop: Any) -> None:
    place, kettle = shop.trade.warehouse.id, shop.variants["KTL-150"]
    level = f"/admin/stock/levels/{place}/{kettle}"
    kept = {"backorder_limit": "0"}
    told = await _two(api, level, level, kept | {"low_at": "7"}, kept | {"low_at": "9"})
    assert re.search(r'name="low_at"[^>]*value="7"|value="7"[^>]*name="low_at"', told)
    assert await shop.db.value("SELECT low_at FROM level WHERE variant = $1", kettle) == 7

    here, web = f"/admin/stock/locations/{place}", shop.trade.web.id
    rule = f"{here}/channels/{web}"
    told = await _two(
        api, here, rule, {f"kept-{web}": "4", "is_served": "1"}, {f"kept-{web}": "6", "is_served": "1"}
    )
    assert await shop.db.value("SELECT buffer FROM location_sharing WHERE channel = $1", web) == 4
    names = {"buffer": "1", "lot_strategy": "fefo", "is_active": "1"}
    await _two(api, here, here, names, names | {"buffer": "2"})

    base = "/admin/return-settings"
    code = shop.trade.web.code
    reason = {"name": "Late", "ships": "shop", "fee": "", "position": "6", "is_active": "1"}
    one = f"{base}/reasons/late?channel={code}"
    await _two(api, one, one, reason, reason | {"fee": "5"})
    new = await api.post(f"{base}/reasons/new?channel={code}", data=reason | {"code": "late"}, headers=PEOPLE)
    assert (new.status_code, "There is a reason with this code." in new.text) == (422, True)
    days = {"country": "SE", "days": "20"}
    await _two(api, f"{base}?channel={code}", f"{base}/windows?channel={code}", days, days | {"days": "40"})
    assert await shop.db.value("SELECT days FROM return_window") == 20

    asked = {"type": "track", "name": "", "days": "30"}
    await _two(api, "/admin/retention", "/admin/retention", asked, asked | {"days": "60"})

    for name in ("One", "Two"):
        data = {"name": name, "code": name.lower(), "invoice_prefix": f"{name.upper()}-", "channel": str(web)}
        made = await api.post("/admin/legal-entities/new", data=data, headers=PEOPLE)
        assert made.status_code == 303, re.findall(r'class="faults".*?</ul>', made.text, re.DOTALL)
    sellers = "/admin/legal-entities"
    page = (await api.get(sellers, headers=PEOPLE)).text
    offered = re.search(rf'name="seller-{web}".*?</select>', page, re.DOTALL)
    assert offered is not None
    wanted = re.findall(r'<option value="([0-9a-f-]{36})"', offered[0])[0]
    await _two(api, sellers, f"{sellers}/channels", {f"seller-{web}": ""}, {f"seller-{web}": wanted})


async def test_what_was_refused_is_not_put_over_what_changed_since(api: httpx.AsyncClient, shop: Any) -> None:
    """A form that is shown again for another fault still says from what it was filled."""
    place, kettle = shop.trade.warehouse.id, shop.variants["KTL-150"]
    level = f"/admin/stock/levels/{place}/{kettle}"
    seen = _version_in((await api.get(level, headers=PEOPLE)).text, level)
    others = {"backorder_limit": "0", "low_at": "9", "version": seen}
    assert (await api.post(level, data=others, headers=PEOPLE)).status_code == 303
    wrong = await api.post(level, data=others | {"low_at": "many"}, headers=PEOPLE)
    assert (wrong.status_code, _version_in(wrong.text, level)) == (422, seen)
