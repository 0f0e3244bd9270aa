"""Writing to the shop: the page “Contact”, and the conversation by its link."""

from typing import Any
from uuid import UUID, uuid4

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import conversations
from samlad.catalog.sellables import language_of
from samlad.channels import Channel
from samlad.conversations import BeginInput, MessageInput, Thread, files, links
from samlad.conversations.api import handed_out
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member, person
from samlad.faces.storefront.place import INCOMPLETE_LINK, channel_of, show
from samlad.faces.topics import OWN_TOPICS
from samlad.kernel.context import GUEST, Context
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem, TooMany

TOO_MANY = marked("That is a lot of messages. Wait a while, or call us.")
HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Cache-Control": "no-store"}


@get("/contact")
async def write_page(request: AnyRequest) -> Response[Any]:
    """The form for writing to the shop."""
    asked = {name: request.query_params.get(name, "")[:150] for name in ("order", "subject", "topic")}
    return await _form(request, Form.of(**asked))


async def _form(request: AnyRequest, form: Form) -> Response[Any]:
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.signed_in(request, channel)
    return await show(
        request,
        channel,
        "storefront/contact.html",
        status=form.status,
        form=form,
        key=form.get("id") or str(uuid4()),
        known=signed.customer if signed else None,
        topics=[(str(topic), _(text)) for topic, text in OWN_TOPICS.items()],
    )


@post("/contact", status_code=303)
async def begin(request: AnyRequest) -> Response[Any]:
    """Write to the shop. The same form sent twice is one conversation."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    if form.text("website"):  # nobody sees this field; programs fill in all
        return face.go(request, "/", _("Thank you. We answer as soon as we can."))
    who = await person.context(request, channel)
    try:
        data = form.into(
            BeginInput,
            channel=str(channel.id),
            language=language_of(channel.locale),
            topic=form.get("topic", "other"),
            customer=None,
            way="in",
            medium="web",
        )
        made = await database_of(request).transaction(lambda tx: conversations.begin(tx, data), who)
    except TooMany as problem:
        form.failed(problem).message = _(TOO_MANY)
        return await _form(request, form)
    except Problem as problem:
        return await _form(request, form.failed(problem))
    is_member = who.actor.kind == "customer"
    path = f"/account/conversations/{made.id}" if is_member else links.path(_settings(request), made.id)
    return face.go(request, path, _("Thank you. We answer as soon as we can."))


def _settings(request: AnyRequest) -> Any:
    return request.app.state.runtime.settings


def _linked(request: AnyRequest, link: str) -> UUID:
    key = links.read(_settings(request), link)
    if key is None:
        raise NotFound(face.words(request)(INCOMPLETE_LINK))
    return key


@get("/conversation/{link:str}")
async def conversation_page(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """One's conversation with the shop, and the next word."""
    channel, key = await channel_of(request), _linked(request, link)
    thread = await conversations.by_link(database_of(request), key)
    await see(request, channel, thread, link=link)
    return await thread_page(request, channel, thread, Form(), f"/conversation/{link}")


@get("/conversation/{link:str}/files/{file_id:uuid}")
async def file(request: AnyRequest, link: FromPath[str], file_id: FromPath[UUID]) -> Response[bytes]:
    """A file that they sent with a mail."""
    database = database_of(request)
    thread = await conversations.by_link(database, _linked(request, link))
    return handed_out(await files.of_thread(database, thread, file_id))


async def thread_page(
    request: AnyRequest, channel: Channel, thread: Thread, form: Form, here: str
) -> Response[Any]:
    """The page of a conversation for whose it is."""
    return await show(
        request,
        channel,
        "storefront/conversation.html",
        status=form.status,
        headers=HEADERS,
        found=thread.conversation,
        messages=thread.messages,
        form=form,
        key=form.get("id") or str(uuid4()),
        here=here,
    )


async def see(request: AnyRequest, channel: Channel, thread: Thread, *, link: str | None = None) -> None:
    """Note that the customer has seen all of it."""
    found = thread.conversation
    if found.seen < found.answers:
        await database_of(request).transaction(
            lambda tx: conversations.see(tx, found.id, found.answers, link=_link_of(request, found.id, link)),
            await person.context(request, channel),
        )


def _link_of(request: AnyRequest, conversation: UUID, link: str | None) -> str | None:
    """The link of the conversation itself: the one in the address may be of one that goes on in it."""
    return None if link is None else links.path(_settings(request), conversation).rsplit("/", 1)[1]


@post("/conversation/{link:str}", status_code=303)
async def write(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """The next word."""
    limits.writes.check(limits.who(request))
    channel, key = await channel_of(request), _linked(request, link)
    who = Context(actor=GUEST, remote=(await person.context(request, channel)).remote)
    return await say(request, channel, key, who, f"/conversation/{link}", link=link)


async def say(
    request: AnyRequest, channel: Channel, key: UUID, who: Context, here: str, *, link: str | None = None
) -> Response[Any]:
    """Keep the next word; on with the conversation."""
    form, _ = await read_form(request), face.words(request)
    try:
        data = form.into(
            MessageInput, note=False, way=None, medium="web", channel=None, seen=None, then="pending"
        )
        await database_of(request).transaction(lambda tx: conversations.write(tx, key, data, link=link), who)
    except NotFound:
        raise
    except Problem as problem:
        if isinstance(problem, TooMany):
            form.failed(problem).message = _(TOO_MANY)
        else:
            form.failed(problem)
        thread = await conversations.by_link(database_of(request), key)
        return await thread_page(request, channel, thread, form, here)
    return face.go(request, here, _("Thank you. We answer as soon as we can."))


handlers = [write_page, begin, conversation_page, file, write]
