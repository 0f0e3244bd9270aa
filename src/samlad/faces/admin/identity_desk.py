"""Who is who, as a desk: identifiers that want to meet and may not, those that link nobody, and the rules for all."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import identity
from samlad.faces.admin import identity_names as desk
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.segment_builder import main
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.identity import ApartInput, Kind, MergeInput, ReasonInput, deciding, profile_store, ruling, store
from samlad.identity.model import Rules
from samlad.identity.permissions import DECIDE, READ, RULES
from samlad.identity.views import Decision, RulesInput
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem

CONFLICTS = "/admin/identity/conflicts"
QUARANTINE = "/admin/identity/quarantine"
RULES_PATH = "/admin/identity/rules"
LOOKED_AT = marked("Looked at on the page of conflicts")
BROKEN = marked("This is not JSON as it must be")


def _tabs(request: AnyRequest, here: str) -> list[dict[str, Any]]:
    _ = words(request)
    places = ((CONFLICTS, _("Conflicts")), (QUARANTINE, _("Quarantine")), (RULES_PATH, _("Rules")))
    return [{"text": text, "href": path, "current": path == here} for path, text in places]


# -- conflicts -----------------------------------------------------------------------------------------------------------


@get(CONFLICTS)
async def list_conflicts(request: AnyRequest) -> Response[Any]:
    """Identifiers that were seen together and were not linked."""
    require(request, READ)
    return await admin_page(
        request,
        "admin/identity_conflicts.html",
        list=await shown(request, database_of(request), profile_store.CONFLICTS),
        names=names,
        desk=desk,
        statuses=translated(request, desk.conflict_status),
        reasons=translated(request, desk.conflict_reason),
        verdicts=translated(request, desk.verdict),
        tabs=_tabs(request, CONFLICTS),
    )


@post(f"{CONFLICTS}/{{conflict_id:uuid}}")
async def judge_conflict(request: AnyRequest, conflict_id: FromPath[UUID]) -> Response[Any]:
    """One person, two people, or nothing to do."""
    require(request, DECIDE)
    form, _ = await read_form(request), words(request)
    two = [form.get("left"), form.get("right")]
    reason = form.text("reason") or _(LOOKED_AT)
    made: Decision | None = None

    async def work(tx: Tx) -> Decision | None:
        if form.get("verdict") == "same":
            return await deciding.merge(tx, form.into(MergeInput, profiles=two, reason=reason))
        if form.get("verdict") == "apart":
            return await deciding.keep_apart(tx, form.into(ApartInput, profiles=two, reason=reason))
        await deciding.dismiss(tx, conflict_id)
        return None

    try:
        made = await change(request, work)
    except Problem as problem:
        told = (
            problem.errors[0].message
            if isinstance(problem, InvalidInput) and problem.errors
            else problem.detail
        )
        return go(request, CONFLICTS, _(told), kind="warning")
    if made is None:
        return go(request, CONFLICTS, _("It is off the list, until there is another reason."))
    undo = undo_href(request, "identity.decision", decision=made.id, customer=made.profiles[0])
    return go(request, CONFLICTS, _(desk.decided[form.get("verdict")]), undo=undo)


# -- what links nobody ---------------------------------------------------------------------------------------------------


@get(QUARANTINE)
async def list_quarantine(request: AnyRequest) -> Response[Any]:
    """Identifiers on too many people, and those that somebody blocked."""
    require(request, READ)
    return await admin_page(
        request,
        "admin/identity_quarantine.html",
        list=await shown(request, database_of(request), profile_store.QUARANTINE),
        names=names,
        desk=desk,
        states=translated(request, {k: t for k, t in names.identifier_state.items() if k != "live"}),
        kinds=translated(request, names.identifier),
        tabs=_tabs(request, QUARANTINE),
    )


@get(f"{QUARANTINE}/{{node_id:uuid}}")
async def show_cut(request: AnyRequest, node_id: FromPath[UUID]) -> Response[Any]:
    """One identifier that links nobody: with what it was seen, which links that would be."""
    require(request, READ)
    return await _cut_page(request, node_id, Form())


async def _cut_page(request: AnyRequest, node_id: UUID, form: Form) -> Response[Any]:
    database = database_of(request)
    node = next(iter(await store.nodes_by_id(database, [node_id])), None)
    if node is None or node.kind in (Kind.CUSTOMER, Kind.SIGHTING):
        raise NotFound("There is no such identifier.")
    seen = await profile_store.evidence_of(database, [node_id])
    others = await store.nodes_by_id(database, {other for each in seen for other in each.nodes} - {node_id})
    return await admin_page(
        request,
        "admin/identity_cut.html",
        status_code=form.status,
        node=node,
        seen=seen,
        others={other.id: other for other in others},
        people=len({other.profile for other in others}),
        names=names,
        desk=desk,
        form=form,
    )


@post(f"{QUARANTINE}/{{node_id:uuid}}/release")
async def release(request: AnyRequest, node_id: FromPath[UUID]) -> Response[Any]:
    """Let an identifier link again, for a reason."""
    require(request, DECIDE)
    form, _ = await read_form(request), words(request)
    try:
        given = form.into(ReasonInput, reason=form.text("reason"))
        await change(request, lambda tx: identity.release(tx, node_id, given.reason))
    except Problem as problem:
        return await _cut_page(request, node_id, form.failed(problem))
    return go(request, QUARANTINE, _("It links again: who is who was computed anew."))


# -- rules ---------------------------------------------------------------------------------------------------------------


@get(RULES_PATH)
async def list_rules(request: AnyRequest) -> Response[Any]:
    """Every version, and a form for the next."""
    require(request, READ)
    return await _rules_page(request, None)


async def _rules_page(request: AnyRequest, form: Form | None) -> Response[Any]:
    channel = await main(request)
    versions = await ruling.versions(database_of(request), channel.id)
    active = next(each for each in versions if each.status == "active")
    shown_form = form or Form.of(document=pretty(active.rules), note="")
    return await admin_page(
        request,
        "admin/identity_rules.html",
        status_code=shown_form.status,
        versions=versions,
        documents={each.version: pretty(each.rules) for each in versions},
        form=shown_form,
        channel=channel,
        names=names,
        desk=desk,
        tabs=_tabs(request, RULES_PATH),
    )


def pretty(rules: Rules) -> str:
    """Rules as JSON that a person reads."""
    return msgspec.json.format(msgspec.json.encode(rules), indent=2).decode()


@post(RULES_PATH)
async def draft(request: AnyRequest) -> Response[Any]:
    """Keep rules as a draft, and try them on everything that was seen."""
    require(request, RULES)
    channel, form, _ = await main(request), await read_form(request), words(request)
    try:
        rules = _rules(form)
        given = RulesInput(channel=channel.id, rules=rules, note=form.get("note")[:500])
        made = await change(request, lambda tx: ruling.draft(tx, given))
    except Problem as problem:
        return await _rules_page(request, form.failed(problem))
    return go(request, f"{RULES_PATH}/{made.id}", _("Kept as a draft: nothing follows it yet."))


def _rules(form: Form) -> Rules:
    try:
        return msgspec.json.decode(form.get("document"), type=Rules)
    except msgspec.MsgspecError as error:
        raise InvalidInput.at("document", f"{form.translate(BROKEN)}: {error}") from None


@get(f"{RULES_PATH}/{{rules_id:uuid}}")
async def try_rules(request: AnyRequest, rules_id: FromPath[UUID]) -> Response[Any]:
    """What a version would do to everything that was ever seen."""
    require(request, RULES)
    channel = await main(request)
    versions = await ruling.versions(database_of(request), channel.id)
    found = next((each for each in versions if each.id == rules_id), None)
    if found is None:
        raise NotFound("There are no such rules.")
    return await admin_page(
        request,
        "admin/identity_dry_run.html",
        version=found,
        document=pretty(found.rules),
        run=await ruling.dry_run(database_of(request), rules_id),
        names=names,
        desk=desk,
    )


@post(f"{RULES_PATH}/{{rules_id:uuid}}/activate")
async def activate(request: AnyRequest, rules_id: FromPath[UUID]) -> Response[Any]:
    """Put a version in force."""
    require(request, RULES)
    _ = words(request)
    try:
        done = await change(request, lambda tx: ruling.activate(tx, rules_id))
    except Problem as problem:
        return go(request, RULES_PATH, _(problem.detail), kind="warning")
    text = _("Version %(version)s is in force; older ones can be put back.") % {"version": done.version}
    return go(request, RULES_PATH, text)


HANDLERS = [
    list_conflicts,
    judge_conflict,
    list_quarantine,
    show_cut,
    release,
    list_rules,
    draft,
    try_rules,
    activate,
]
