"""The account on the customer's page: a link is sent, and they are signed out everywhere; not by everybody."""

from typing import Any

import httpx
import pytest

from account_people import Post
from samlad import customers
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.settings import Settings, load
from trade import build

PEOPLE = {"accept": "text/html", "accept-language": "en"}


@pytest.fixture
def settings(dsn: str, tmp_path: Any) -> Settings:
    """With a public address, so that links have somewhere to lead; nobody works here, so mails stay in the outbox."""
    return load(
        {}, home=tmp_path, database_url=dsn, pool_size=8, mail_to_log=True, public_url="https://shop.example"
    )


async def test_support_sends_a_link_and_signs_out(
    api: httpx.AsyncClient, api_as: Any, settings: Settings, db: Database
) -> None:
    trade = await build(db)
    post = Post(db, settings, trade.web)
    opened = await post.sign_in("kim@example.org")
    await trade.follow()
    here = f"/admin/customers/{opened.customer.id}"
    page = await api.get(here, headers=PEOPLE)
    assert "Firefox on Linux" in page.text
    await db.rows("DELETE FROM mail_outbox RETURNING 1")
    assert (await api.post(f"{here}/account/link", headers=PEOPLE)).status_code == 303
    assert "https://shop.example/account/link/" in (await post.mails())[0].text
    async with api_as(Actor(kind="staff", id=new_id(), permissions=permissions_of(Role.MARKETING))) as other:
        assert (await other.post(f"{here}/account/link", headers=PEOPLE)).status_code == 403
        assert (await other.post(f"{here}/account/end", headers=PEOPLE)).status_code == 403
        assert "Firefox on Linux" not in (await other.get(here, headers=PEOPLE)).text
    for _ in range(2):
        assert (await api.post(f"{here}/account/end", headers=PEOPLE)).status_code == 303
    assert await post.who(opened) is None
    verbs = {row["verb"] for row in await db.rows("SELECT verb FROM audit_entry")}
    assert {"accounts.link-sent", "accounts.signed-out"} <= verbs
    # Whom we know by a number only gets no link.
    pool = trade.web.pools[Resource.CUSTOMERS]
    silent = await db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(external_id="K-9"))
    )
    assert (await api.post(f"/admin/customers/{silent.id}/account/link", headers=PEOPLE)).status_code == 303
    assert len(await post.mails()) == 1
