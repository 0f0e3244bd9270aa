"""Mails that no rule puts into a conversation: staff say where they belong."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.catalog.sellables import language_of
from samlad.conversations import CONVERSATIONS, READ, WRITE, InboundMail, files, mail_store, receiving
from samlad.conversations.api import handed_out
from samlad.faces.admin import bulk
from samlad.faces.admin.conversation_names import MARKS, WHY
from samlad.faces.admin.conversations import BASE
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, translated, words
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem

PATH = f"{BASE}/mails"
STATES = {"waiting": marked("Not sorted yet"), "dismissed": marked("Put aside")}
OTHERS = 5
"""So many conversations of a sender are offered."""


@get(PATH)
async def list_mails(request: AnyRequest) -> Response[Any]:
    """Mails that are in no conversation, with those that they may belong to."""
    require(request, READ, shop_wide=True)
    return await _page(request, Form())


@get(f"{PATH}/{{mail_id:uuid}}/files/{{file_id:uuid}}")
async def download(request: AnyRequest, mail_id: FromPath[UUID], file_id: FromPath[UUID]) -> Response[bytes]:
    """A file of a mail, to be saved."""
    require(request, READ, shop_wide=True)
    return handed_out(await files.of_mail(database_of(request), mail_id, file_id))


async def _page(request: AnyRequest, form: Form) -> Response[Any]:
    database, _ = database_of(request), words(request)
    found = await shown(request, database, mail_store.INBOUND)
    settings = request.app.state.runtime.settings
    return await admin_page(
        request,
        "admin/inbound_mails.html",
        status_code=form.status,
        form=form,
        list=found,
        states=STATES,
        state_options=translated(request, STATES),
        why={why: _(text) for why, text in WHY.items()},
        marks={mark: _(text) for mark, text in MARKS.items()},
        into={each.id: await _into(request, each) for each in found.items if each.state == "waiting"},
        channels=_main_first(await channels.cached_all(database)),
        replies_to=settings.mail_replies,
    )


async def _into(request: AnyRequest, mail: InboundMail) -> list[tuple[str, str]]:
    """The conversations that it may belong to: the one that it says, and the latest of its sender."""
    _ = words(request)
    named = []
    if mail.conversation is not None:
        text = " · ".join(part for part in (mail.conversation_subject, mail.conversation_name) if part)
        named.append((str(mail.conversation), text or _("(erased)")))
    page = await CONVERSATIONS.page(
        database_of(request), ListQuery(limit=OTHERS, filters={"email": mail.sender}), None
    )
    return named + [
        (str(each.id), f"{each.subject or _('(erased)')} · {each.name or mail.sender}")
        for each in page.items
        if each.id != mail.conversation
    ]


@post(f"{PATH}/{{mail_id:uuid}}", status_code=303)
async def decide(request: AnyRequest, mail_id: FromPath[UUID]) -> Response[Any]:
    """Put a mail into a conversation, begin one with it, or put it aside."""
    require(request, WRITE, shop_wide=True)
    form, _ = await read_form(request), words(request)
    act = form.get("act")
    try:
        if act == "place":
            into = _uuid(form, "into")
            made = await change(request, lambda tx: receiving.place(tx, mail_id, into))
        elif act == "begin":
            shop = await channels.cached(database_of(request), _uuid(form, "channel"))
            language = language_of(shop.locale)
            made = await change(request, lambda tx: receiving.begin(tx, mail_id, shop.id, language=language))
        else:
            await change(request, lambda tx: receiving.dismiss(tx, mail_id, is_dismissed=act != "restore"))
            if act == "restore":
                return go(request, PATH, _("It is there again."))
            back = undo_href(request, "inbound_mail.dismiss", mail=str(mail_id))
            return go(request, PATH, _("It is put aside, and deleted in 30 days."), undo=back)
    except Problem as problem:
        return await _page(request, form.failed(problem))
    return go(request, f"{BASE}/{made.id}", _("It is in this conversation."))


def _main_first(every: list[channels.Channel]) -> list[tuple[str, str]]:
    """What a mail can begin a conversation in: the shop itself stands first, and is chosen until somebody says otherwise."""
    main = channels.main_of(every)
    return [(str(each.id), each.name) for each in sorted(every, key=lambda each: each is not main)]


def _uuid(form: Form, field: str) -> UUID:
    try:
        return UUID(form.get(field))
    except ValueError:
        raise InvalidInput.at(field, "choose one") from None


@undoable("inbound_mail.dismiss")
async def _restore(tx: Tx, arguments: dict[str, Any]) -> str:
    await receiving.dismiss(tx, UUID(arguments["mail"]), is_dismissed=False)
    return PATH


@post(f"{PATH}/bulk", status_code=303)
async def decide_many(request: AnyRequest) -> Response[Any]:
    """Put the picked ones aside, or let them wait again."""
    require(request, WRITE, shop_wide=True)
    form, _ = await read_form(request), words(request)
    back, wanted = local_path(form.text("next"), PATH), form.get("act")
    if wanted not in ("dismiss", "restore"):
        return go(request, back, _("Please say what is to be done with them."), kind="danger")
    is_dismissed = wanted == "dismiss"

    async def act(tx: Tx, mail: UUID) -> str | None:
        before = await mail_store.lock(tx, mail)
        after = await receiving.dismiss(tx, mail, is_dismissed=is_dismissed)
        return None if before is None or before.state == after.state else "-"

    return await bulk.run(
        request, bulk.picked(form), act, named=_named, back=back, undo="inbound_mails.many", to=wanted
    )


async def _named(reader: Reader, mail: UUID) -> str:
    found = await mail_store.get(reader, mail)
    if found is None:
        raise NotFound("There is no such mail.")
    return found.subject or found.sender or str(found.id)


@undoable("inbound_mails.many")
async def _undo_many(tx: Tx, arguments: dict[str, Any]) -> str:
    for mail, _before in bulk.rows_before(arguments):
        with suppress(Conflict, NotFound):  # it is in a conversation meanwhile, or was deleted
            await receiving.dismiss(tx, mail, is_dismissed=arguments["to"] != "dismiss")
    return str(arguments["back"])


HANDLERS = [list_mails, download, decide_many, decide]
