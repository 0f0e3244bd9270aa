"""Conversations: who waits for an answer, and everything that was said."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, conversations, customers
from samlad.access import staff as people
from samlad.catalog.sellables import language_of
from samlad.channels import Resource
from samlad.conversations import (
    CONVERSATIONS,
    READ,
    WRITE,
    BeginInput,
    ChangeInput,
    MessageInput,
    Thread,
    files,
    presence,
    saved,
)
from samlad.conversations.api import handed_out
from samlad.faces.admin import bulk, customer_blocks
from samlad.faces.admin.conversation_names import MARKS, MEDIA, STATES
from samlad.faces.admin.customer_blocks import Block
from samlad.faces.admin.lists import href, shown
from samlad.faces.admin.scope import open_orders
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import (
    AnyRequest,
    change,
    go,
    listen_from_here,
    live_href,
    local_path,
    page,
    require,
    words,
)
from samlad.faces.topics import TOPICS
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.stock import reach

BASE = "/admin/conversations"
MORNING = 9
"""The hour at which what was put off until a day comes back."""
OTHERS = 8


@get(BASE)
async def list_conversations(request: AnyRequest) -> Response[Any]:
    """All conversations; without a filter in the address it begins with those that wait, the longest first."""
    require(request, READ)
    await listen_from_here(request)
    database, _, actor = database_of(request), words(request), actor_of(request)
    counts = await conversations.counts(database, actor)
    if not request.query_params and counts.open:
        return go(request, href(BASE, {"state": "open", "sort": "waiting_since"}))
    mine = await reach.pools(database, actor_of(request), Resource.CONVERSATIONS)
    found = await shown(request, database, CONVERSATIONS, mine)
    before = await conversations.cutoffs(database)
    waiting = {"state": "open", "sort": "waiting_since"}
    views = [
        (_("To answer"), counts.open, waiting),
        (_("Mine"), counts.mine, {**waiting, "assignee": str(actor.id)}),
        (_("Nobody’s"), counts.unassigned, {**waiting, "assigned": "false"}),
        (_("Answered"), counts.pending, {"state": "pending"}),
        (_("Later"), counts.snoozed, {"state": "snoozed"}),
        (_("Done"), None, {"state": "closed"}),
        (_("All"), None, {"sort": "-last_at"}),
    ]
    names = ("state", "assignee", "assigned")
    asked = {name: found.params[name] for name in names if name in found.params}
    return await admin_page(
        request,
        "admin/conversations.html",
        list=found,
        mails=counts.mails,
        overdue={each.id for each in found.items if conversations.is_overdue(each, before)},
        live_href=live_href(request, "conversations"),
        states={state: (_(text), kind) for state, (text, kind) in STATES.items()},
        topics={topic: _(text) for topic, text in TOPICS.items()},
        channels=[(each.code, each.name) for each in await channels.cached_all(database)],
        views=[
            {
                "text": text if count is None else f"{text} ({count})",
                "href": href(BASE, query),
                "current": asked == {name: query[name] for name in names if name in query},
            }
            for text, count, query in views
        ],
    )


@get(f"{BASE}/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for writing to a customer, or for noting what one said on the phone."""
    require(request, WRITE)
    return await _new_page(request, Form.of(way="out", medium="web", id=uuid4()))


@post(f"{BASE}/new")
async def begin(request: AnyRequest) -> Response[Any]:
    """Write to a customer, or note what one said."""
    require(request, WRITE)
    form, _, database = await read_form(request), words(request), database_of(request)
    try:
        how = form.get("how", "write")
        channel = await channels.cached(database, _channel(form))
        data = form.into(
            BeginInput,
            channel=str(channel.id),
            customer=form.text("customer"),
            language=language_of(channel.locale),
            way="out" if how == "write" else "in",
            medium="web" if how == "write" else how,
            topic=form.get("topic", "other"),
        )
        made = await change(request, lambda tx: conversations.begin(tx, data))
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return go(request, f"{BASE}/{made.id}", _("It is sent.") if how == "write" else _("It is kept."))


def _channel(form: Form) -> UUID:
    try:
        return UUID(form.get("channel"))
    except ValueError:
        raise InvalidInput.at("channel", "choose one") from None


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    database, _ = database_of(request), words(request)
    customer = None
    wanted = form.text("customer") or request.query_params.get("customer")
    if wanted:
        try:
            customer = await customers.current(database, UUID(wanted))
        except ValueError:
            customer = None
    pool = customer.pool if customer else None
    return await admin_page(
        request,
        "admin/conversation_new.html",
        status_code=form.status,
        form=form,
        customer=customer,
        key=form.get("id") or str(uuid4()),
        channels=[
            (str(each.id), each.name)
            for each in await channels.cached_all(database)
            if pool is None or each.pools[channels.Resource.CUSTOMERS] == pool
        ],
        topics=[(str(topic), _(text)) for topic, text in TOPICS.items()],
    )


@get(f"{BASE}/{{conversation_id:uuid}}")
async def show_conversation(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """What was said, who it is, and the answer."""
    require(request, READ)
    await listen_from_here(request)
    return await _page(request, conversation_id, Form())


@get(f"{BASE}/{{conversation_id:uuid}}/files/{{file_id:uuid}}")
async def download(
    request: AnyRequest, conversation_id: FromPath[UUID], file_id: FromPath[UUID]
) -> Response[bytes]:
    """A file that a customer sent with a mail, to be saved."""
    require(request, READ)
    database = database_of(request)
    thread = await conversations.read(database, actor_of(request), conversation_id)
    return handed_out(await files.of_thread(database, thread, file_id))


@post(f"{BASE}/{{conversation_id:uuid}}")
async def answer(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """Send an answer, note something, or put a saved reply into the field."""
    require(request, WRITE)
    await listen_from_here(request)
    form, _ = await read_form(request), words(request)
    if form.has("insert"):
        return await _insert(request, conversation_id, form)
    act = form.get("act", "send")
    try:
        data = form.into(
            MessageInput,
            note=act == "note",
            then="closed" if act == "close" else "pending",
            way="in" if act in ("phone", "store") else None,
            medium=act if act in ("phone", "store") else "web",
            seen=form.whole("seen") if act in ("send", "close") else None,
        )
        await change(request, lambda tx: conversations.write(tx, conversation_id, data))
    except Problem as problem:
        return await _page(request, conversation_id, form.failed(problem))
    said = {"note": _("It is noted."), "send": _("Your answer is sent.")}
    if act == "close":
        back = undo_href(request, "conversation.state", conversation=str(conversation_id), state="open")
        return go(request, BASE, _("Your answer is sent, and it is done."), undo=back)
    return go(request, f"{BASE}/{conversation_id}", said.get(act, _("It is kept.")))


async def _insert(request: AnyRequest, conversation_id: UUID, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    thread = await conversations.read(database, actor, conversation_id)
    wanted = form.get("insert")
    body = next((each.body for each in await saved.all_of(database, actor) if str(each.id) == wanted), "")
    known = {
        "name": thread.conversation.name,
        "order": thread.conversation.order_number or "",
        "agent": actor.name,
    }
    whole = "\n\n".join(
        part for part in (form.get("body").strip(), conversations.filled(body, known)) if part
    )
    kept = Form.of(id=form.get("id"), seen=form.get("seen"), body=whole)
    return await _page(request, conversation_id, kept)


@post(f"{BASE}/{{conversation_id:uuid}}/here", status_code=200)
async def say_here(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """A page that is open says so, and hears who else has it open. Nothing new is no answer, so that nothing is read out again."""
    require(request, READ)
    form = await read_form(request)
    others = await database_of(request).transaction(
        lambda tx: presence.here(tx, conversation_id), context_of(request)
    )
    known = "\n".join(others)
    if form.get("known") == known:
        return Response(None, status_code=204)
    return page(request, "admin/conversation_here.html", others=others, known=known)


@post(f"{BASE}/{{conversation_id:uuid}}/change")
async def change_conversation(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """Close or open it, put it off, or give it to somebody."""
    require(request, WRITE)
    await listen_from_here(request)
    form, _ = await read_form(request), words(request)
    before = (await conversations.read(database_of(request), actor_of(request), conversation_id)).conversation
    try:
        data = await _wanted(request, form, before.channel)
        await change(request, lambda tx: conversations.change(tx, conversation_id, data))
    except Problem as problem:
        return await _page(request, conversation_id, form.failed(problem))
    if data.state is msgspec.UNSET and data.snoozed_until is msgspec.UNSET:
        return go(request, f"{BASE}/{conversation_id}", _("It is changed."))
    state = "open" if before.state == "snoozed" else str(before.state)
    back = undo_href(request, "conversation.state", conversation=str(conversation_id), state=state)
    said = {"closed": _("It is done."), "open": _("It is open again."), "pending": _("It is changed.")}
    text = said.get(str(data.state), _("It comes back then."))
    return go(request, f"{BASE}/{conversation_id}" if data.state == "open" else BASE, text, undo=back)


async def _wanted(request: AnyRequest, form: Form, channel: UUID) -> ChangeInput:
    if form.has("assignee"):
        who = form.get("assignee")
        return form.into(ChangeInput, assignee=who or None)
    if form.has("snooze"):
        return ChangeInput(snoozed_until=await _later(request, form.get("snooze"), channel))
    return form.into(ChangeInput)


async def _later(request: AnyRequest, how: str, channel: UUID) -> datetime:
    zone = ZoneInfo((await channels.cached(database_of(request), channel)).time_zone)
    here = now().astimezone(zone)
    days = {"hours": None, "tomorrow": 1, "monday": 7 - here.weekday(), "week": 7}.get(how, 1)
    if days is None:
        return now() + timedelta(hours=3)
    return (here + timedelta(days=days)).replace(hour=MORNING, minute=0, second=0, microsecond=0)


@undoable("conversation.state")
async def _undo(tx: Tx, arguments: dict[str, Any]) -> str:
    wanted = ChangeInput(state=arguments["state"])
    await conversations.change(tx, UUID(arguments["conversation"]), wanted)
    return f"{BASE}/{arguments['conversation']}"


@post(f"{BASE}/{{conversation_id:uuid}}/merge")
async def merge(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """Let it go on in another one of the same customer."""
    require(request, WRITE)
    await listen_from_here(request)
    form, _ = await read_form(request), words(request)
    try:
        into = UUID(form.get("into"))
    except ValueError:
        return go(request, f"{BASE}/{conversation_id}", _("Choose a conversation."), kind="warning")
    try:
        made = await change(request, lambda tx: conversations.merge(tx, conversation_id, into))
    except Problem as problem:
        return await _page(request, conversation_id, form.failed(problem))
    back = undo_href(request, "conversation.merge", conversation=str(conversation_id))
    return go(request, f"{BASE}/{made.id}", _("They are one conversation now."), undo=back)


@undoable("conversation.merge")
async def _apart(tx: Tx, arguments: dict[str, Any]) -> str:
    made = await conversations.split(tx, UUID(arguments["conversation"]))
    return f"{BASE}/{made.id}"


@post(f"{BASE}/{{conversation_id:uuid}}/split")
async def split(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """Let one that went on in another one stand by itself again."""
    require(request, WRITE)
    await read_form(request)
    made = await change(request, lambda tx: conversations.split(tx, conversation_id))
    return go(request, f"{BASE}/{made.id}", words(request)("They are apart again."))


async def _page(request: AnyRequest, conversation_id: UUID, form: Form) -> Response[Any]:
    database, _, actor = database_of(request), words(request), actor_of(request)
    thread: Thread = await conversations.read(database, actor, conversation_id)
    found = thread.conversation
    may_write = actor.may(WRITE)
    others = await _others(request, found)
    return await admin_page(
        request,
        "admin/conversation.html",
        status_code=form.status,
        form=form,
        found=found,
        messages=thread.messages,
        live_href=live_href(request, f"subject:{found.id}"),
        every_seconds=presence.EVERY_SECONDS,
        state=(_(STATES[found.state][0]), STATES[found.state][1]),
        topic=_(TOPICS[found.topic]),
        media={medium: _(text) for medium, text in MEDIA.items()},
        marks={mark: _(text) for mark, text in MARKS.items()},
        key=form.get("id") or str(uuid4()),
        # Who sees that somebody wrote meanwhile has read it: the next try is not refused.
        seen=found.words,
        crew=await _crew(request, found) if may_write else [],
        replies=await saved.all_of(database, actor) if may_write else [],
        others=others,
        open_orders=await open_orders(actor, database, [found.order]),
        into=[(str(each.id), each.subject or _("(erased)")) for each in others],
    )


async def _crew(request: AnyRequest, found: conversations.Conversation) -> list[tuple[str, str]]:
    """Who can look after it: nobody, everybody who works here, and who does so now."""
    crew = {
        str(each.id): each.name
        for each in await people.everybody(database_of(request))
        if each.status == "active"
    }
    if found.assignee is not None:
        crew.setdefault(str(found.assignee), found.assignee_name or str(found.assignee))
    return [("", words(request)("Nobody")), *crew.items()]


async def _others(request: AnyRequest, found: conversations.Conversation) -> list[conversations.Conversation]:
    """What else was talked about with this customer."""
    if found.customer is None:
        return []
    query = ListQuery(limit=OTHERS, filters={"customer": str(found.customer)})
    page = await CONVERSATIONS.page(database_of(request), query, None)
    return [each for each in page.items if each.id != found.id and each.pool == found.pool]


async def _talks(request: AnyRequest, customer: customers.Customer) -> dict[str, Any] | None:
    """The block of a customer's page."""
    if not actor_of(request).may(READ):
        return None
    _ = words(request)
    query = ListQuery(limit=OTHERS, filters={"customer": str(customer.id)})
    mine = await reach.pools(database_of(request), actor_of(request), Resource.CONVERSATIONS)
    page = await CONVERSATIONS.page(database_of(request), query, mine)
    return {
        "talks": page.items,
        "talk_states": {state: (_(text), kind) for state, (text, kind) in STATES.items()},
    }


customer_blocks.add(Block(place=25, template="admin/customer_conversations.html", load=_talks))


@post(f"{BASE}/bulk")
async def act_on_many(request: AnyRequest) -> Response[Any]:
    """The picked ones are done, to be answered again, or mine to look after."""
    require(request, WRITE)
    form, _ = await read_form(request), words(request)
    back, wanted, me = local_path(form.text("next"), BASE), form.get("act"), actor_of(request).id
    if wanted not in ("closed", "open", "mine"):
        return go(request, back, _("Please say what is to be done with them."), kind="danger")

    async def act(tx: Tx, conversation: UUID) -> str | None:
        found = await conversations.one(tx, conversation)
        if found is None:
            raise NotFound("There is no such conversation.")
        if wanted == "mine":
            await conversations.change(tx, conversation, ChangeInput(assignee=me), version=found.version)
            return None if found.assignee == me else str(found.assignee or "")
        state: Literal["closed", "open"] = "closed" if wanted == "closed" else "open"
        await conversations.change(tx, conversation, ChangeInput(state=state), version=found.version)
        until = found.snoozed_until.isoformat() if found.snoozed_until else ""
        return None if found.state == state else f"{found.state} {until}".strip()

    return await bulk.run(
        request, bulk.picked(form), act, named=_named, back=back, undo="conversations.many", to=wanted
    )


async def _named(reader: Reader, conversation: UUID) -> str:
    found = await conversations.one(reader, conversation)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found.subject or found.name or str(found.id)


@undoable("conversations.many")
async def _undo_many(tx: Tx, arguments: dict[str, Any]) -> str:
    for conversation, before in bulk.rows_before(arguments):
        state, _, until = before.partition(" ")
        if arguments["to"] == "mine":
            data = ChangeInput(assignee=UUID(before) if before else None)
        elif until and datetime.fromisoformat(until) > now():
            data = ChangeInput(snoozed_until=datetime.fromisoformat(until))
        else:
            data = msgspec.convert({"state": "open" if until else state}, ChangeInput)
        await conversations.change(tx, conversation, data)
    return str(arguments["back"])


HANDLERS = [
    act_on_many,
    list_conversations, show_new, begin, show_conversation, download, answer, say_here, change_conversation, merge, split,
]  # fmt: skip
