"""Probable duplicates: the list, and the queue in which one pair is decided after the other by the keyboard."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import customers, duplicates
from samlad.channels import Resource
from samlad.customers import Customer
from samlad.duplicates import NextInput, Pair, SettingsInput, TrainInput
from samlad.duplicates.model import Evidence
from samlad.duplicates.permissions import DECIDE, READ, RULES, SEE_CUSTOMERS
from samlad.faces.admin import duplicate_names as names
from samlad.faces.admin.lists import href, shown
from samlad.faces.admin.segment_builder import main
from samlad.faces.admin.shell import admin_page
from samlad.faces.design import formats
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem

PATH = "/admin/duplicates"
QUEUE = f"{PATH}/next"
KEPT = ("strong", "at_least")
"""Filters of the queue that stay from pair to pair."""
STRONG = {"1": marked("At least one strong field"), "2": marked("At least two strong fields")}
SAID = {
    "merge": marked("One person."),
    "apart": marked("Two people."),
    "skip": marked("Skipped: somebody else may decide it."),
}


class Bar(msgspec.Struct, frozen=True):
    """One step of the waterfall, in parts of a hundred of its width. ``bits`` is what it adds."""

    key: str
    level: str
    bits: float
    left: float
    width: float


class Line(msgspec.Struct, frozen=True):
    """One thing that is shown of both, side by side."""

    label: str
    left: str
    right: str
    is_same: bool
    is_compared: bool


@get(PATH)
async def list_pairs(request: AnyRequest) -> Response[Any]:
    """All pairs, how the training goes, and the settings."""
    return await _list_page(request, None)


async def _list_page(request: AnyRequest, form: Form | None) -> Response[Any]:
    require(request, READ)
    require(request, SEE_CUSTOMERS)
    database, channel = database_of(request), await main(request)
    pool = channel.pools[Resource.CUSTOMERS]
    current = await duplicates.settings(database, channel.id)
    given = Form.of(
        suggest_from=f"{current.suggest_from:g}",
        automatic_from=f"{current.automatic_from:g}",
        automatic=current.automatic,
    )
    return await admin_page(
        request,
        "admin/duplicates.html",
        status_code=200 if form is None else form.status,
        list=await shown(request, database, duplicates.LISTING, also=("channel",)),
        statuses=translated(request, names.status),
        names=names,
        strong=[("0", words(request)("No strong field")), ("1", "1"), ("2", "2"), ("3", "3")],
        channel=channel,
        model=(await duplicates.models(database, pool))[0],
        run=await duplicates.run_of(database, pool),
        settings=current,
        form=form or given,
        waiting=await duplicates.waiting(database, pool),
    )


@post(f"{PATH}/training")
async def train(request: AnyRequest) -> Response[Any]:
    """Train on the pool of a channel."""
    require(request, RULES)
    channel, _ = await main(request), words(request)
    try:
        await change(request, lambda tx: duplicates.ask(tx, TrainInput(channel=channel.id)))
    except Conflict:
        return go(request, PATH, _("A training is under way already."), kind="warning")
    return go(request, PATH, _("It begins in a moment."))


@post(f"{PATH}/settings")
async def save_settings(request: AnyRequest) -> Response[Any]:
    """Change what is shown, and what is merged without asking."""
    require(request, RULES)
    channel, form = await main(request), await read_form(request)
    version = form.whole("version")
    try:
        given = form.into(
            SettingsInput,
            suggest_from=(form.text("suggest_from") or "").replace(",", ".") or None,
            automatic_from=(form.text("automatic_from") or "").replace(",", ".") or None,
            automatic=form.has("automatic"),
        )
        await change(request, lambda tx: duplicates.change_settings(tx, channel.id, given, version))
    except Problem as problem:
        return await _list_page(request, form.failed(problem))
    return go(request, PATH, words(request)("Saved."))


# -- one pair a screen ---------------------------------------------------------------------------------------------------


@get(QUEUE)
async def show_next(request: AnyRequest) -> Response[Any]:
    """The next pair to decide; it is held for who sees it."""
    require(request, DECIDE)
    require(request, SEE_CUSTOMERS)
    wanted = _wanted(request)
    pair = await change(request, lambda tx: duplicates.next_pair(tx, wanted))
    return await _pair_page(request, pair, is_queue=True)


def _wanted(request: AnyRequest) -> NextInput:
    given = {name: request.query_params.get(name) or None for name in KEPT}
    try:
        return msgspec.convert(given, NextInput, strict=False)
    except msgspec.ValidationError:
        return NextInput()


@get(f"{PATH}/{{pair_id:uuid}}")
async def show_pair(request: AnyRequest, pair_id: FromPath[UUID]) -> Response[Any]:
    """One pair, decided or not, with its evidence."""
    require(request, READ)
    require(request, SEE_CUSTOMERS)
    pair = await duplicates.get(database_of(request), pair_id)
    if pair is None:
        raise NotFound("There is no such pair.")
    return await _pair_page(request, pair, is_queue=False)


async def _pair_page(request: AnyRequest, pair: Pair | None, *, is_queue: bool) -> Response[Any]:
    database = database_of(request)
    kept = {name: request.query_params.get(name) for name in KEPT}
    two = [] if pair is None else [await customers.get(database, each) for each in (pair.left, pair.right)]
    people = [one for one in two if one is not None]
    return await admin_page(
        request,
        "admin/duplicate.html",
        pair=pair,
        people=people,
        lines=await _lines(request, people) if len(people) == 2 else [],
        bars=[] if pair is None else waterfall(pair.prior, pair.evidence),
        names=names,
        is_queue=is_queue,
        last=request.query_params.get("last"),
        last_kind=request.query_params.get("did"),
        query=href("", kept),
        kept=kept,
        strong=translated(request, STRONG),
        waiting=await duplicates.waiting(database),
        can_decide=actor_of(request).may(DECIDE),
    )


async def _lines(request: AnyRequest, people: list[Customer]) -> list[Line]:
    """What both have, where one of them has it; and what they differ in."""
    _, locale = words(request), locale_of(request)
    database = database_of(request)
    cards = {card.customer: card for card in await duplicates.cards_of(database, [one.id for one in people])}
    bought = [sum(each.orders for each in await customers.spend_of(database, one.id)) for one in people]

    def told(field: str) -> list[str]:
        return [str(getattr(one, field) or "") for one in people]

    def normal(field: str) -> list[str]:
        return [str(getattr(cards.get(one.id), field, None) or "") for one in people]

    rows = [
        (_("Name"), told("name"), normal("name")),
        (_("E-mail"), told("email"), normal("email")),
        (_("Phone"), told("phone"), normal("phone")),
        (_("Address"), [text.replace("|", " ") for text in normal("address")], normal("address")),
        (_("Customer number"), told("external_id"), told("external_id")),
        (_("Country"), told("country"), told("country")),
        (_("Orders"), [str(each) for each in bought], ["", ""]),
        (_("Customer since"), [formats.day(one.created_at, locale) for one in people], ["", ""]),
    ]
    return [
        Line(label, said[0], said[1], bool(same[0]) and same[0] == same[1], all(same))
        for label, said, same in rows
        if any(said)
    ]


def waterfall(prior: float, evidence: list[Evidence]) -> list[Bar]:
    """The steps from the prior to the weight, each where the one before ended; the last is the whole."""
    ends, at = [(0.0, prior)], prior
    for each in evidence:
        ends.append((at, at + each.bits))
        at += each.bits
    ends.append((0.0, at))
    low = min(min(two) for two in ends)
    span = (max(max(two) for two in ends) - low) or 1.0
    keys = ["prior", *(each.comparison for each in evidence), "weight"]
    levels = ["", *(each.level for each in evidence), ""]
    return [
        Bar(
            key,
            level,
            end - begin,
            round(100 * (min(begin, end) - low) / span, 2),
            round(max(0.4, 100 * abs(end - begin) / span), 2),
        )
        for key, level, (begin, end) in zip(keys, levels, ends, strict=True)
    ]


@post(f"{PATH}/{{pair_id:uuid}}/decide")
async def decide(request: AnyRequest, pair_id: FromPath[UUID]) -> Response[Any]:
    """Decide a pair, and on to the next."""
    require(request, DECIDE)
    form, _ = await read_form(request), words(request)
    verdict = form.text("verdict") or ""
    verbs = {"merge": duplicates.merge, "apart": duplicates.keep_apart, "skip": duplicates.skip}
    if verdict not in verbs:
        raise InvalidInput.at("verdict", "must be merge, apart or skip")
    kept = {name: form.text(name) for name in KEPT}

    async def work(tx: Tx) -> Pair:
        return await verbs[verdict](tx, pair_id)

    try:
        await change(request, work)
    except Conflict as problem:
        return go(request, href(QUEUE, kept), _(problem.detail), kind="warning")
    return go(request, href(QUEUE, {**kept, "last": pair_id, "did": verdict}), _(SAID[verdict]))


@post(f"{PATH}/{{pair_id:uuid}}/undo")
async def undo(request: AnyRequest, pair_id: FromPath[UUID]) -> Response[Any]:
    """Take back what was decided of a pair, or that it was skipped; it is shown again."""
    require(request, DECIDE)
    form, _ = await read_form(request), words(request)
    kept = {name: form.text(name) for name in KEPT}
    try:
        if form.text("did") == "skip":
            await change(request, lambda tx: duplicates.unskip(tx, pair_id))
        else:
            await change(request, lambda tx: duplicates.undo(tx, pair_id))
    except Conflict as problem:
        return go(request, href(QUEUE, kept), _(problem.detail), kind="warning")
    return go(request, href(QUEUE, kept), _("Taken back: it is as if it had never been."))


@post(f"{PATH}/unskip")
async def show_skipped(request: AnyRequest) -> Response[Any]:
    """Show what was skipped again."""
    require(request, DECIDE)
    await change(request, duplicates.unskip)
    return go(request, QUEUE)


HANDLERS = [list_pairs, train, save_settings, show_next, show_pair, decide, undo, show_skipped]
