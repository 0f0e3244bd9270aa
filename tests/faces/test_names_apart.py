"""A name that runs the other way turns nothing around it: in texts the template layer isolates it, elsewhere `ui.named`."""

from typing import Any

from bare_names import bare_names
from market import Market, put_in

from samlad import customers
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.customers import NoteInput, PersonInput
from samlad.faces.design import Pages
from samlad.kernel.context import Actor
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id

NAME, GOODS, NOTE = "نور الدين", "إبريق نحاسي", "تفضل اللون الأزرق"


def test_texts_keep_names_apart() -> None:
    page = (
        Pages()
        .environment("sv")
        .from_string(
            '{{ _("With %(name)s", name=name) }}|{{ ngettext("%(num)d %(what)s", "%(num)d %(what)s", 2, what=name) }}'
        )
    )
    assert page.render(name=NAME) == f"Med \u2068{NAME}\u2069|2 \u2068{NAME}\u2069"
    assert page.render(name="Kim") == "Med Kim|2 Kim", "what runs as the page does is left alone"
    assert "&lt;" in page.render(name=f"<b>{NAME}")
    turned = Pages().environment("ar-XB").from_string('{{ _("With %(name)s", name="Kim") }}')
    assert "\u2068Kim\u2069" in turned.render()


async def test_no_page_lets_a_name_turn_its_neighbours(market: Market, api_as: Any) -> None:
    product = await market.product(title=GOODS, brand=NAME, stock=(5, 5))
    pool = market.web.pools[Resource.CUSTOMERS]

    async def known(tx: Tx) -> customers.Customer:
        kim = await customers.find_or_create(tx, pool, PersonInput(email="kim@example.org", name=NAME))
        await customers.add_note(tx, kim.id, NoteInput(text=NOTE, for_clerks=True))
        return kim

    kim = await market.db.transaction(known)
    boss = Actor(kind="staff", id=new_id(), name=NAME, permissions=permissions_of(Role.OWNER))
    plain = {"accept": "text/html", "accept-language": "en"}
    found: dict[str, list[str]] = {}
    async with api_as(boss, **plain) as staff, api_as(Actor(kind="guest"), **plain) as guest:
        variant = product.variants[0].id
        await put_in(guest, variant)
        await staff.post("/pos/soder/lines", data={"variant": str(variant)})
        await staff.post(f"/pos/soder/customers/{kim.id}")
        await staff.post("/pos/soder/pay/cash")
        here = f"/pos/soder/customers/{kim.id}"
        await staff.post(f"{here}/follow-ups", data={"task": NOTE, "due_on": "2026-01-05"})
        await staff.post(f"{here}/clerk", data={"agreed": "1"})
        pages = {
            staff: (
                "/pos/soder", "/pos/soder/customers?q=kim", here, "/pos/soder/clients", "/pos/soder/day", "/pos/soder/parked",
                f"{here}/advise?q={GOODS}", "/admin/customers", f"/admin/customers/{kim.id}", "/admin/orders",
                "/admin/products", f"/admin/products/{product.id}", "/admin/stock", "/admin/stock/movements", "/admin",
            ),
            guest: ("/", f"/p/{product.handle}", "/search", "/cart", "/checkout"),
        }  # fmt: skip
        for client, paths in pages.items():
            for path in paths:
                answer = await client.get(path)
                assert answer.status_code in (200, 303), path
                bare = [each for name in (NAME, GOODS, NOTE) for each in bare_names(answer.text, name)]
                found |= {path: bare} if bare else {}
    assert found == {}, "\n".join(f"{path}: {each}" for path, bare in found.items() for each in bare)
