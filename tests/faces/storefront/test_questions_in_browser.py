"""A question in a real browser: asked by keyboard, answered at the desk, many published together and undone, found helpful."""

from typing import Any

import pytest
from browser import Site
from market import Market
from playwright.async_api import expect

from account_people import Post
from samlad import questions
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.settings import Settings
from samlad.questions import AnswerInput, QuestionInput

pytestmark = pytest.mark.browser


async def test_asked_answered_and_found_helpful_by_keyboard(
    site: Site, market: Market, settings: Settings
) -> None:
    made = await market.product(title="Copper kettle", sku="KTL", handle="kettle", stock=(9, 0))

    async def wait_for_answers(tx: Any) -> None:
        for number in range(3):
            data = QuestionInput(
                channel=market.web.id,
                product=made.id,
                text=f"Is number {number} dishwasher safe?",
                author="Robin",
                email="robin@example.org",
                language="en",
            )
            asked = await questions.ask(tx, data)
            await questions.answer(tx, asked.id, AnswerInput(text="It is, on a gentle programme."))

    await market.db.transaction(wait_for_answers, Context(actor=SYSTEM))
    page = await site.visitor(locale="en-GB", width=390)
    await page.goto("/p/kettle")
    await page.get_by_text("Ask a question").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Your question").fill("Does it whistle?")
    await page.locator("#ask-author").fill("Lo")
    await page.locator("#ask-email").fill("lo@example.org")
    await expect(page.locator("#ask-website")).to_be_hidden()
    await site.fine(page)
    await site.picture(page, "ask")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Thank you. We read it")).to_be_visible()

    clerk = await site.staff()
    await clerk.goto("/admin/questions")
    await expect(clerk.get_by_role("link", name="Does it whistle?")).to_be_visible()
    for number in range(3):
        await clerk.get_by_label(f"Select Is number {number}").check()
    await expect(clerk.locator("[data-picked]")).to_have_text("3")
    await site.fine(clerk)
    await site.picture(clerk, "admin-questions")
    await clerk.get_by_role("button", name="Publish").press("Enter")
    await expect(clerk.get_by_text("Changed: 3")).to_be_visible()
    await clerk.get_by_role("button", name="Undo").press("Enter")
    await expect(clerk.get_by_text("Taken back.")).to_be_visible()
    await clerk.get_by_label("Select Is number 0").check()
    await clerk.get_by_role("button", name="Publish").press("Enter")
    await expect(clerk.get_by_text("Changed: 1")).to_be_visible()
    await clerk.get_by_role("link", name="Does it whistle?").press("Enter")
    await clerk.get_by_label("Your answer").fill("It does, and loudly.")
    await site.fine(clerk)
    await site.picture(clerk, "admin-question")
    await clerk.get_by_role("button", name="Answer and show it").press("Enter")
    await expect(clerk.get_by_text("It is answered and shown.")).to_be_visible()

    await page.goto("/p/kettle")
    asked = page.get_by_role("listitem").filter(has_text="Does it whistle?")
    await asked.get_by_role("button", name="Helpful").press("Enter")
    await expect(asked.get_by_text("1 finds this helpful")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "product-questions")
    await page.goto("/p/kettle/questions")
    await site.fine(page)
    await site.picture(page, "questions")
    await page.get_by_role("link", name="Does it whistle?").press("Enter")
    await expect(page.get_by_role("heading", name="Does it whistle?", level=1)).to_be_visible()
    await expect(page.get_by_text("It does, and loudly.")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "question")


async def test_my_questions(site: Site, market: Market, settings: Settings) -> None:
    await market.product(title="Mug", sku="MUG", handle="mug", stock=(9, 0))
    opened = await Post(market.db, settings, market.web).sign_in("kim@example.org")
    page = await site.visitor(locale="en-GB", width=390, scheme="dark")
    await page.context.add_cookies([{"name": "samlad_customer", "value": opened.token, "url": site.url}])
    await page.goto("/account/questions")
    await expect(page.get_by_text("You have asked nothing yet")).to_be_visible()
    await page.goto("/p/mug")
    await page.get_by_text("Ask a question").press("Enter")
    await page.get_by_label("Your question").fill("How tall is it?")
    await page.get_by_role("button", name="Ask", exact=True).press("Enter")
    await expect(page.get_by_text("Thank you. We read it")).to_be_visible()
    await page.goto("/account/questions")
    await site.fine(page)
    await site.picture(page, "my-questions")
    await page.get_by_role("link", name="How tall is it?").press("Enter")
    await page.get_by_label("Your question").fill("How wide is it?")
    await site.fine(page)
    await site.picture(page, "my-question")
    await page.get_by_role("button", name="Save").press("Enter")
    await page.get_by_role("link", name="How wide is it?").press("Enter")
    await page.get_by_role("button", name="Take my question back").press("Enter")
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.get_by_role("link", name="How wide is it?")).to_be_visible()
