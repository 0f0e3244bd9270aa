"""Mails that came back, in a browser: the page teaches while it is empty, and what it says is stopped and written to again."""

from typing import Any

import pytest
from browser import Site
from playwright.async_api import expect

from samlad.kernel import mailboxes
from samlad.kernel.bounces import Bounce
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.mailboxes import Sent
from trade import build

pytestmark = pytest.mark.browser


async def come_back(db: Database, recipient: str, **more: Any) -> None:
    sent = Sent(recipient=recipient, person=None, channel=None, kind="order")
    bounce = Bounce(
        **{"mail": new_id(), "is_permanent": True, "status": "5.1.1", "code": 550, "answer": ""} | more
    )
    await db.transaction(lambda tx: mailboxes.mark(tx, sent, bounce))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_of_mails_that_came_back(site: Site, db: Database, scheme: str) -> None:
    await build(db)
    page = await site.staff(width=390, scheme=scheme)
    await page.goto("/admin/mail")
    await expect(page.get_by_text("No mail came back")).to_be_visible()
    await site.fine(page)
    await site.picture(page, f"mail-empty-{scheme}")
    answer = "550 5.1.1 <kim@example.org>: Recipient address rejected: User unknown in virtual mailbox table"
    await come_back(db, "kim@example.org", answer=answer)
    await come_back(db, f"{'a-very-long-name-that-nobody-wants-to-type' * 2}@mail.example.org")
    await come_back(
        db, "full@example.org", is_permanent=False, status="4.2.2", code=452, answer="452 4.2.2 Mailbox full"
    )
    for width in (1440, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto("/admin/mail")
        await expect(page.get_by_text("There is no such mailbox").first).to_be_visible()
        await site.fine(page)
    await site.picture(page, f"mail-{scheme}")
    await page.set_viewport_size({"width": 390, "height": 900})
    row = page.get_by_role("row").filter(has_text="kim@example.org")
    await row.get_by_role("button", name="Write again").focus()
    await page.keyboard.press("Enter")
    await expect(row.get_by_role("button", name="Stop mails")).to_be_visible()
    await site.fine(page)
