"""HTTP: who is who, why, and what people decided."""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody

from samlad.identity import deciding, profiles, ruling, store
from samlad.identity.permissions import READ, RULES
from samlad.identity.profile_store import CHANGES, CHANGES_OF, CONFLICTS, DECISIONS, QUARANTINE
from samlad.identity.views import (
    ApartInput,
    ChangeRow,
    ConflictRow,
    CutRow,
    Decision,
    DecisionRow,
    DryRun,
    MergeInput,
    Profile,
    ReasonInput,
    RulesInput,
    RulesVersion,
    SplitInput,
)
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    States,
    Wanted,
)
from samlad.kernel.problems import NotFound


@get("/identity/profiles/{any_id:uuid}", summary="Read by what a person is known")
async def read_profile(request: AnyRequest, any_id: FromPath[UUID]) -> Response[Profile]:
    """A person: identifiers with the evidence for each, fields with who said what, what they spent.

    Any id leads there that the profile has or had, an identifier's or a customer's. ``Content-Location`` names the one
    that stands for it now. Of the evidence the newest 500 sightings.
    """
    actor_of(request).require(READ)
    profile = await profiles.read(database_of(request), any_id)
    return Response(profile, headers={"Content-Location": f"/api/identity/profiles/{profile.id}"})


@get("/identity/profiles/{any_id:uuid}/changes", summary="Read the history of a profile")
async def profile_changes(
    request: AnyRequest,
    any_id: FromPath[UUID],
    kind: Wanted = None,
    cause: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ChangeRow]]:
    """What became one with it and what came off it, newest first, under any id that it has."""
    actor_of(request).require(READ)
    database = database_of(request)
    ids = await store.ids_of(database, any_id)
    if not ids:
        raise NotFound("There is no such profile.")
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"kind": kind, "cause": cause})
    return await CHANGES_OF.answer(database, query, ids, as_csv=as_format == "csv", name="profile-changes")


@get("/identity/changes", summary="List merges and splits")
async def list_changes(
    request: AnyRequest,
    kind: Wanted = None,
    cause: Wanted = None,
    pool: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ChangeRow]]:
    """What became one and what came apart, newest first. ``kind``: merged, split; ``cause``: observed, decided, rules."""
    actor_of(request).require(READ)
    filters = {"kind": kind, "cause": cause, "pool": pool}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await CHANGES.answer(
        database_of(request), query, as_csv=as_format == "csv", name="identity-changes"
    )


@get("/identity/decisions", summary="List decisions")
async def list_decisions(
    request: AnyRequest,
    kind: Wanted = None,
    pool: Wanted = None,
    profile: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[DecisionRow]]:
    """What people decided, newest first, also what was taken back. ``kind``: same, apart, block, release."""
    actor_of(request).require(READ)
    filters = {"kind": kind, "pool": pool, "profile": profile}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await DECISIONS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="identity-decisions"
    )


@post("/identity/merges", summary="Merge profiles", status_code=201)
async def merge(request: AnyRequest, data: JSONBody[MergeInput]) -> Response[Decision]:
    """These are one person. The oldest customer among them stands for all; the others' ids lead there.

    Nothing is rewritten: `undo` leaves what there would be without it.
    """
    return await write(request, lambda tx: deciding.merge(tx, data), status=201)


@post("/identity/splits", summary="Take a profile apart", status_code=201)
async def split(request: AnyRequest, data: JSONBody[SplitInput]) -> Response[Decision]:
    """These identifiers are somebody else's, whatever is seen. What was kept under them goes with them."""
    return await write(request, lambda tx: deciding.split(tx, data), status=201)


@post("/identity/apart", summary="Keep profiles apart", status_code=201)
async def keep_apart(request: AnyRequest, data: JSONBody[ApartInput]) -> Response[Decision]:
    """These are two people, whatever is seen. Nothing is rewritten, and `undo` takes it back."""
    return await write(request, lambda tx: deciding.keep_apart(tx, data), status=201)


@post("/identity/decisions/{decision_id:uuid}/undo", summary="Take a decision back", status_code=200)
async def undo(
    request: AnyRequest, decision_id: FromPath[UUID], data: JSONBody[ReasonInput]
) -> Response[Decision]:
    """Who is who becomes what it would be had it never been decided."""
    return await write(request, lambda tx: deciding.undo(tx, decision_id, data.reason))


@post(
    "/identity/identifiers/{identifier_id:uuid}/block",
    summary="Let an identifier link nobody",
    status_code=201,
)
async def block(
    request: AnyRequest, identifier_id: FromPath[UUID], data: JSONBody[ReasonInput]
) -> Response[Decision]:
    """It is nobody's: the shop's own phone, a mailbox that many read. Its links are taken back."""
    return await write(request, lambda tx: deciding.block(tx, identifier_id, data.reason), status=201)


@post(
    "/identity/identifiers/{identifier_id:uuid}/release",
    summary="Let an identifier link again",
    status_code=201,
)
async def release(
    request: AnyRequest, identifier_id: FromPath[UUID], data: JSONBody[ReasonInput]
) -> Response[Decision]:
    """It is a person's though it is blocked or was seen with many."""
    return await write(request, lambda tx: deciding.release(tx, identifier_id, data.reason), status=201)


@get("/identity/conflicts", summary="List conflicts")
async def list_conflicts(
    request: AnyRequest,
    status: Wanted = None,
    reason: Wanted = None,
    pool: Wanted = None,
    profile: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ConflictRow]]:
    """Identifiers that were seen together and were not linked, for a person to look at.

    ``status``: open, dismissed, settled. ``reason``: limit, weak.
    """
    actor_of(request).require(READ)
    filters = {"status": status, "reason": reason, "pool": pool, "profile": profile}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await CONFLICTS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="identity-conflicts"
    )


@post("/identity/conflicts/{conflict_id:uuid}/dismiss", summary="Dismiss a conflict", status_code=204)
async def dismiss(request: AnyRequest, conflict_id: FromPath[UUID]) -> Response[None]:
    """Somebody has looked; there is nothing to do."""
    return await write(request, lambda tx: deciding.dismiss(tx, conflict_id), status=204)


@get("/identity/quarantine", summary="List identifiers that link nobody")
async def list_quarantine(
    request: AnyRequest,
    states: States = None,
    kind: Wanted = None,
    pool: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[CutRow]]:
    """Values that were seen with too many people (quarantined) or are nobody's (blocked). Sort by changed_at, fan_out."""
    actor_of(request).require(READ)
    filters = {"state": states, "kind": kind, "pool": pool}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await QUARANTINE.answer(
        database_of(request), query, as_csv=as_format == "csv", name="identity-quarantine"
    )


@get("/identity/channels/{channel_id:uuid}/rules", summary="List the rules of a channel's customers")
async def list_rules(request: AnyRequest, channel_id: FromPath[UUID]) -> list[RulesVersion]:
    """Every version, the newest first; the last is what comes with Samlad."""
    actor_of(request).require(READ)
    return await ruling.versions(database_of(request), channel_id)


@post("/identity/rules", summary="Draft rules", status_code=201)
async def draft_rules(request: AnyRequest, data: JSONBody[RulesInput]) -> Response[RulesVersion]:
    """Keep new rules. What is left out is as it comes with Samlad. Nothing follows them until they are activated."""
    return await write(request, lambda tx: ruling.draft(tx, data), status=201)


@get("/identity/rules/{rules_id:uuid}/dry-run", summary="Try rules on everything that was seen")
async def dry_run(request: AnyRequest, rules_id: FromPath[UUID]) -> DryRun:
    """What would merge and what would come apart, with examples. Changes nothing."""
    actor_of(request).require(RULES)
    return await ruling.dry_run(database_of(request), rules_id)


@post("/identity/rules/{rules_id:uuid}/activate", summary="Put rules in force", status_code=200)
async def activate_rules(request: AnyRequest, rules_id: FromPath[UUID]) -> Response[RulesVersion]:
    """Who is who becomes what these rules make of everything that was ever seen. Older ones can be put back."""
    return await write(request, lambda tx: ruling.activate(tx, rules_id))


routes = [
    Router(
        path="/api",
        route_handlers=[
            read_profile,
            profile_changes,
            list_changes,
            list_decisions,
            merge,
            split,
            keep_apart,
            undo,
            block,
            release,
            list_conflicts,
            dismiss,
            list_quarantine,
            list_rules,
            draft_rules,
            dry_run,
            activate_rules,
        ],
        tags=["Identity"],
    )
]
