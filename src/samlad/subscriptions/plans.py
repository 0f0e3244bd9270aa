"""Selling plans: made, changed, offered; and what they make of prices in carts."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, structs

from samlad import catalog, channels
from samlad.access import audit
from samlad.carts import plans as carts_plans
from samlad.catalog import Sellable
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel import log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.money import currencies
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound, Outdated
from samlad.subscriptions import plan_store, rules
from samlad.subscriptions.events import PlanChanged, PlanCreated
from samlad.subscriptions.model import LineInput, Plan, PlanChange, PlanInput, PlanOffer, Terms
from samlad.subscriptions.permissions import PLANS

NO_PLAN = "There is no such selling plan."
AT_LAST = 10_000
"""An order so far on that the last stage of prices has begun."""


async def create(tx: Tx, data: PlanInput) -> Plan:
    """Make a selling plan.

    Raises:
        InvalidInput: no such channel, product or variant, a till's channel, terms that cannot be.
        Conflict: the code is taken.
    """
    tx.actor.require(PLANS)
    places = await _check(tx, data.channels, data.products, data.variants, data.terms)
    values = structs.asdict(data) | {
        "id": new_id(),
        "channels": [place.id for place in places],
        "terms": msgspec.to_builtins(data.terms),
    }
    if not await plan_store.insert(tx, values):
        raise Conflict.at("code", f"“{data.code}” is taken")
    log.append(tx, PlanCreated(code=data.code, name=data.name), subject=values["id"])
    audit.record(tx, "selling-plan.created", "selling_plan", values["id"], after=data)
    return await read(tx, values["id"])


async def change(tx: Tx, plan_id: UUID, data: PlanChange, *, version: int | None = None) -> Plan:
    """Change what is given. Subscriptions keep the terms that they began with.

    Raises:
        NotFound, InvalidInput: as `create`. Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(PLANS)
    old = await read(tx, plan_id)
    check_version(version, old.version)
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    changed: dict[str, Any] = {n: value for n, value in given.items() if value != getattr(old, n)}
    if not changed:
        return old
    wanted = structs.replace(old, **changed)
    places = await _check(tx, wanted.channels, wanted.products, wanted.variants, wanted.terms)
    columns = dict(changed)
    if "channels" in columns:
        columns["channels"] = [place.id for place in places]
    if "terms" in columns:
        columns["terms"] = msgspec.to_builtins(wanted.terms)
    if not await plan_store.update(tx, plan_id, old.version, columns):
        raise Outdated("Somebody changed this selling plan at the same moment.")
    after = msgspec.to_builtins(changed)
    log.append(tx, PlanChanged(code=old.code, after=after), subject=plan_id)
    before = msgspec.to_builtins({name: getattr(old, name) for name in changed})
    audit.record(tx, "selling-plan.changed", "selling_plan", plan_id, before=before, after=after)
    return await read(tx, plan_id)


async def read(reader: Reader, plan_id: UUID) -> Plan:
    """A plan. Raises NotFound."""
    found = await plan_store.read(reader, plan_id)
    if found is None:
        raise NotFound(NO_PLAN)
    return found


async def _check(
    tx: Tx, codes: Sequence[str], products: Sequence[UUID], variants: Sequence[UUID], terms: Terms
) -> list[Channel]:
    errors = rules.terms_errors(terms)
    known = {channel.code: channel for channel in await channels.all_channels(tx)}
    for index, code in enumerate(codes):
        if code not in known:
            errors.append(FieldError(f"channels/{index}", f"there is no channel “{code}”"))
        elif known[code].kind in (ChannelKind.STORE, ChannelKind.MARKETPLACE):
            errors.append(
                FieldError(
                    f"channels/{index}", f"“{code}” is a {known[code].kind}; it sends no repeat orders"
                )
            )
    for index, stage in enumerate(terms.prices):
        unknown = sorted(set(stage.price or {}) - currencies())
        if unknown:
            errors.append(FieldError(f"terms/prices/{index}/price", f"“{unknown[0]}” is no currency"))
    pools = {known[code].pools[Resource.CATALOGUE] for code in codes if code in known}
    missing = await plan_store.unknown(tx, sorted(pools), products, variants)
    for name, ids in (("products", products), ("variants", variants)):
        errors += [
            FieldError(f"{name}/{index}", "there is none with this id in these channels")
            for index, each in enumerate(ids)
            if each in missing
        ]
    if errors:
        raise InvalidInput("Something about the plan is not right.", errors=tuple(errors))
    return [known[code] for code in dict.fromkeys(codes)]


async def offers(
    database: Database, channel: Channel, variants: Sequence[UUID]
) -> dict[UUID, list[PlanOffer]]:
    """By which plans variants can be bought in a channel, and what they then cost; two statements.

    What is not sold there at all is left out.
    """
    found = await plan_store.offered(database, channel.id, variants)
    sold = await catalog.sellables(database, channel, [variant for variant, _ in found]) if found else {}
    language = language_of(channel.locale)
    answer: dict[UUID, list[PlanOffer]] = {}
    for variant, plan in found:
        sellable = sold.get(variant)
        if sellable is None or sellable.price is None or not sellable.is_available:
            continue
        answer.setdefault(variant, []).append(
            PlanOffer(
                plan=plan.id,
                code=plan.code,
                name=plan.names.get(language, plan.name),
                terms=plan.terms,
                price=rules.price_of(plan.terms, 1, sellable.price, channel.currency),
                later=rules.price_of(plan.terms, AT_LAST, sellable.price, channel.currency),
                regular=sellable.price,
                currency=channel.currency,
            )
        )
    return answer


async def check_offered(
    tx: Tx, channel: Channel, plan_id: UUID, lines: Sequence[LineInput], *, known: Sequence[UUID] = ()
) -> Plan:
    """The plan, if all these lines can be bought by it in the channel. ``known`` variants may stay whatever is offered.

    Raises:
        InvalidInput: it is not offered there, or not for one of them, or one is there twice.
    """
    offered = await plan_store.offered(tx, channel.id, [line.variant for line in lines], [plan_id])
    by_variant = dict(offered)
    errors, seen = [], set()
    for index, line in enumerate(lines):
        if line.variant in seen:
            errors.append(FieldError(f"lines/{index}/variant", "is named twice"))
        elif line.variant not in by_variant and line.variant not in known:
            errors.append(FieldError(f"lines/{index}/variant", "cannot be bought by this plan here"))
        seen.add(line.variant)
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))
    return await read(tx, plan_id)


async def _prices(
    reader: Reader, channel: Channel, plans: Mapping[UUID, UUID], sellables: Mapping[UUID, Sellable]
) -> dict[UUID, int]:
    """What lines of a cart cost by their plans: what the first order costs (`samlad.carts.plans.Pricer`)."""
    found = await plan_store.offered(reader, channel.id, list(plans), sorted(set(plans.values())))
    return {
        variant: rules.price_of(plan.terms, 1, price, channel.currency)
        for variant, plan in found
        if plans[variant] == plan.id
        and variant in sellables
        and (price := sellables[variant].price) is not None
    }


carts_plans.register(_prices)
