"""A question for who asked it without an account, by the link in our mails: confirmed, read, taken back, put back."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import questions
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, shelf
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import Vault
from samlad.questions import Question, links


@get("/question/{link:str}")
async def show_own(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """The question and how it stands. Programs that look into mails open this: only the button confirms."""
    found = await _found(request, link)
    answers = await questions.shown_answers(database_of(request), found.id)
    shop_href = shelf.product_href(found.handle)
    return await show(
        request,
        await channel_of(request),
        "storefront/question_own.html",
        headers={"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"},
        link=link,
        found=found,
        answers=answers,
        shown_href=f"{shop_href}/questions/{found.id}" if found.status == "published" else None,
        crumbs=[(found.product_title, shop_href)],
    )


@post("/question/{link:str}/{act:str}", status_code=303)
async def act_on_own(request: AnyRequest, link: FromPath[str], act: FromPath[str]) -> Response[Any]:
    """Confirm it, take it back, or put it back. Each twice is once."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    await read_form(request)
    found, database = await _found(request, link), database_of(request)
    context, here = shopper(request, channel), f"/question/{link}"
    if act == "confirm":
        await database.transaction(lambda tx: questions.confirm(tx, found.id), context)
        return face.go(request, here, _("Thank you. We read it, and write to you when it is answered."))
    if act == "withdraw":
        await database.transaction(lambda tx: questions.withdraw(tx, found.id, is_proven=True), context)
        return face.go(request, here, _("Your question is taken back."), undo=f"{here}/restore")
    if act == "restore":
        await database.transaction(lambda tx: questions.restore(tx, found.id, is_proven=True), context)
        return face.go(request, here, _("Your question is back. We read it once more."))
    raise NotFound(_("There is no such page."))


async def _found(request: AnyRequest, link: str) -> Question:
    vault: Vault = request.app.state.runtime.vault
    found = await questions.find(database_of(request), links.read(vault, link))
    if found is None or not found.text:
        raise NotFound(face.words(request)("This question is not there any more."))
    return found


handlers = [show_own, act_on_own]
