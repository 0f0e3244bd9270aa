"""The verbs of promotions that staff use: make and change them, codes, links, grants to customers."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog, channels, customers
from samlad.access import audit
from samlad.channels import Resource
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.money import currencies
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound
from samlad.promotions import events, live, store
from samlad.promotions.model import (
    CodesInput,
    CodesMade,
    Grant,
    GrantSource,
    HolderKind,
    Link,
    LinkInput,
    Promotion,
    PromotionChange,
    PromotionInput,
    PromotionStatus,
)
from samlad.promotions.permissions import CHANGE, GRANT
from samlad.promotions.terms import Bundle, BuyGet, Gift, Goods, Terms, Tiers

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of codes that are made up: without what is mistaken for something else when it is read aloud or typed."""
MADE_LENGTH = 9
"""30^9 codes: of 20,000 that are valid, one try in a billion hits."""
CODES_OF_EVENT = 20


async def create(tx: Tx, data: PromotionInput) -> Promotion:
    """Make a promotion in the pool of a channel, with codes if any are named.

    Raises:
        InvalidInput: there is no such channel; its terms make no sense, or name what is not of this shop.
        Conflict: a code is taken.
    """
    tx.actor.require(CHANGE)
    try:
        channel = await channels.cached(tx, data.channel)
    except NotFound:
        raise InvalidInput.at("channel", "there is no such channel") from None
    pool = channel.pools[Resource.PROMOTIONS]
    values: dict[str, Any] = {name: getattr(data, name) for name in store.WRITTEN}
    here = await channels.cached_all(tx)
    others = {each.currency for each in here if each.pools[Resource.PROMOTIONS] == pool} - {channel.currency}
    if data.currency is None and (data.terms.has_amounts or data.budget is not None or not others):
        values["currency"] = channel.currency
    await _check(tx, pool, values)
    made = await store.insert(tx, new_id(), pool, values)
    fact = events.PromotionCreated(name=made.name, kind=_kind(made.terms), pool=pool)
    log.append(tx, fact, subject=made.id, channel=channel.id)
    audit.record(tx, "promotion.created", "promotion", made.id, after=made)
    tx.after_commit(live.forget)
    if data.codes:
        await add_codes(tx, made.id, CodesInput(codes=data.codes))
    return made


async def change(tx: Tx, promotion: UUID, data: PromotionChange, *, version: int | None = None) -> Promotion:
    """Change a promotion, pause it, end it. Orders that are being placed come before or after, never between.

    Raises:
        NotFound, Outdated: no such promotion; not the version that the caller saw.
        Conflict: it has ended.
        InvalidInput: its terms make no sense, or a limit is below what was used already.
    """
    tx.actor.require(CHANGE)
    before = await store.lock(tx, promotion)
    if before is None:
        raise NotFound("There is no such promotion.")
    check_version(version, before.version)
    wanted = {
        name: getattr(data, name)
        for name in PromotionChange.__struct_fields__
        if getattr(data, name) is not msgspec.UNSET and getattr(data, name) != getattr(before, name)
    }
    if not wanted:
        return before
    if before.status is PromotionStatus.ENDED:
        raise Conflict("It has ended. Make a new one.")
    await _check(tx, before.pool, {name: getattr(before, name) for name in store.WRITTEN} | wanted)
    after = msgspec.structs.replace(before, **wanted)
    changed = await store.update(tx, promotion, wanted, recount=after.is_counted and not before.is_counted)
    fact = events.PromotionChanged(name=changed.name, fields=sorted(wanted))
    log.append(tx, fact, subject=promotion)
    audit.record(tx, "promotion.changed", "promotion", promotion, before=before, after=changed)
    tx.after_commit(live.forget)
    return changed


async def get(reader: Reader, promotion: UUID) -> Promotion:
    """One promotion.

    Raises:
        NotFound: there is none with this id.
    """
    found = await store.get(reader, promotion)
    if found is None:
        raise NotFound("There is no such promotion.")
    return found


async def add_codes(tx: Tx, promotion: UUID, data: CodesInput) -> CodesMade:
    """Add codes, those that are named and those that are made up; the same codes twice are there once.

    Raises:
        Conflict: a named code belongs to another promotion.
    """
    tx.actor.require(CHANGE)
    found = await get(tx, promotion)
    named = list(dict.fromkeys(normal(code) for code in data.codes))
    short = [code for code in named if len(code) < 3]
    if short:
        raise InvalidInput.at("codes", "a code has at least three letters or digits")
    added = await store.insert_codes(
        tx, found.pool, promotion, [(new_id(), code) for code in named], data.limit_total
    )
    for code in named:
        if code not in added:
            other = await store.code(tx, found.pool, code)
            if other is not None and other.promotion != promotion:
                raise Conflict(f"The code {code} belongs to another promotion.", field="codes")
    made = await _make_up(tx, found, data.make, normal(data.prefix))
    count = len(added) + len(made)
    if count:
        log.append(tx, events.CodesAdded(count=count), subject=promotion)
        told = {"count": count, "codes": [*named, *made][:CODES_OF_EVENT]}
        audit.record(tx, "promotion.codes-added", "promotion", promotion, after=told)
    return CodesMade(codes=[*named, *made])


async def _make_up(tx: Tx, promotion: Promotion, count: int, prefix: str) -> list[str]:
    """So many new codes for one use each; those that happen to be taken are made anew."""
    made: set[str] = set()
    while len(made) < count:
        fresh = {
            prefix + "".join(secrets.choice(ALPHABET) for _ in range(MADE_LENGTH))
            for _ in range(count - len(made))
        }
        made |= await store.insert_codes(
            tx, promotion.pool, promotion.id, [(new_id(), code) for code in fresh], 1
        )
    return sorted(made)


async def make_link(tx: Tx, promotion: UUID, data: LinkInput) -> Link:
    """A link that gives a promotion to whoever follows it."""
    tx.actor.require(CHANGE)
    await get(tx, promotion)
    moment = await tx.value("SELECT now()")
    link = Link(
        token=secrets.token_urlsafe(9),
        promotion=promotion,
        leads_to=data.leads_to,
        note=data.note,
        created_at=moment,
    )
    await store.insert_link(tx, link)
    log.append(tx, events.LinkMade(leads_to=link.leads_to, note=link.note), subject=promotion)
    audit.record(
        tx,
        "promotion.link-made",
        "promotion",
        promotion,
        after={"leads_to": link.leads_to, "note": link.note},
    )
    return link


async def give(tx: Tx, promotion: UUID, customer: UUID) -> list[Grant]:
    """Give a promotion to a customer; all that they hold. Given twice they have it once.

    Raises:
        NotFound: no such promotion or customer.
        Conflict: it has ended.
    """
    tx.actor.require(GRANT)
    found = await get(tx, promotion)
    if found.status is PromotionStatus.ENDED:
        raise Conflict("It has ended.")
    person = await customers.get(tx, customer)
    pools = {
        channel.pools[Resource.CUSTOMERS]
        for channel in await channels.cached_all(tx)
        if channel.pools[Resource.PROMOTIONS] == found.pool
    }
    if person is None or person.pool not in pools:
        raise NotFound("There is no such customer where this promotion holds.")
    new = await store.grant(tx, [(customer, HolderKind.CUSTOMER)], [promotion], GrantSource.STAFF)
    if new:
        fact = events.PromotionGranted(
            name=found.name, source=GrantSource.STAFF, holder=customer, kind=HolderKind.CUSTOMER
        )
        log.append(tx, fact, subject=promotion, profile=customer)
        audit.record(tx, "promotion.granted", "customer", customer, after={"promotion": found.name})
    return await store.grants_of(tx, customer)


def normal(code: str) -> str:
    """A code as it is kept: in capitals, without blanks and hyphens."""
    return code.upper().replace(" ", "").replace("-", "").replace("_", "")


def _kind(terms: Terms) -> str:
    return str(terms.effect.__struct_config__.tag)


async def _check(reader: Reader, pool: UUID, values: dict[str, Any]) -> None:
    """Whether a promotion makes sense.

    Raises:
        InvalidInput: with a fault for each field.
    """
    terms: Terms = values["terms"]
    faults = _faults_of_effect(terms)
    needs_currency = terms.has_amounts or values["budget"] is not None
    if values["currency"] is None and needs_currency:
        faults.append(
            FieldError("terms", "it holds in every currency: make a new one that has amounts or a budget")
        )
    if values["currency"] is not None and values["currency"] not in currencies():
        faults.append(FieldError("currency", f"“{values['currency']}” is no currency (ISO 4217)"))
    first, last = values["first_day"], values["last_day"]
    if first is not None and last is not None and last < first:
        faults.append(FieldError("last_day", "is before the first day"))
    if values["hours"] is not None and values["hours"].opens == values["hours"].closes:
        faults.append(FieldError("hours", "begin and end at the same time"))
    every = await channels.cached_all(reader)  # type: ignore[arg-type]
    here = [channel for channel in every if channel.pools[Resource.PROMOTIONS] == pool]
    strange = [str(each) for each in values["channels"] or [] if each not in {channel.id for channel in here}]
    if strange:
        faults.append(
            FieldError("channels", f"not channels of this pool of promotions: {', '.join(strange[:5])}")
        )
    if not faults:
        faults = await _faults_of_goods(
            reader, {channel.pools[Resource.CATALOGUE] for channel in here}, terms
        )
    if faults:
        raise InvalidInput("Something about the promotion is not right.", errors=tuple(faults))


def _faults_of_effect(terms: Terms) -> list[FieldError]:
    effect = terms.effect
    if isinstance(effect, Tiers):
        if any((tier.percent is None) == (tier.amount is None) for tier in effect.tiers):
            return [FieldError("terms/effect/tiers", "each tier has either a percentage or an amount")]
        if len({tier.at_least for tier in effect.tiers}) < len(effect.tiers):
            return [FieldError("terms/effect/tiers", "two tiers begin at the same value")]
    if isinstance(effect, Bundle) and any(not part.goods.marks for part in effect.parts):
        return [FieldError("terms/effect/parts", "each part says which goods it takes")]
    if isinstance(effect, BuyGet) and effect.get_goods is not None and not effect.get_goods.marks:
        return [FieldError("terms/effect/get_goods", "say which goods; leave it out for the same ones")]
    return []


async def _faults_of_goods(
    reader: Reader, pools: Sequence[UUID] | set[UUID], terms: Terms
) -> list[FieldError]:
    """What is named and not there, in all catalogues in which the promotion holds."""
    chosen: list[Goods] = terms.all_goods
    variants = [each for goods in chosen for each in goods.variants]
    if isinstance(terms.effect, Gift):
        variants.append(terms.effect.variant)
    named = {
        "products": {each for goods in chosen for each in goods.products},
        "variants": set(variants),
        "categories": {each for goods in chosen for each in goods.categories},
        "collections": {each for goods in chosen for each in goods.collections},
    }
    if not any(named.values()):
        return []
    missing: set[tuple[str, UUID]] = {(kind, each) for kind, ids in named.items() for each in ids}
    for pool in pools:
        found = await catalog.unknown(
            reader,
            pool,
            products=list(named["products"]),
            variants=list(named["variants"]),
            categories=list(named["categories"]),
            collections=list(named["collections"]),
        )
        missing &= {(each.kind, each.id) for each in found}
    messages = {
        "collections": "not there, or filled by a rule; promotions take collections that are put together by hand"
    }
    gift = terms.effect.variant if isinstance(terms.effect, Gift) else None
    return [
        FieldError(
            "terms/effect/variant" if each == gift else f"terms/goods/{kind}",
            f"{each}: {messages.get(kind, 'there is no such thing in the catalogue')}",
        )
        for kind, each in sorted(missing, key=str)[:10]
    ]
