"""The verbs of legal entities: who sells. A shop that said nothing yet has a default, made of its main channel."""

from typing import Any
from uuid import UUID

import msgspec
from stdnum import bic, iban
from stdnum.exceptions import ValidationError

from samlad import channels
from samlad.access import audit
from samlad.channels import Channel, Resource
from samlad.channels.rules import check_values
from samlad.documents import events, rules, store
from samlad.documents.model import Entity, EntityChange, EntityInput, Kind
from samlad.documents.permissions import ENTITIES
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound

SETTING = "legal_entity"
"""A channel's setting: the id of who sells there; empty: the default of its pool of orders."""


async def create(tx: Tx, data: EntityInput) -> Entity:
    """Add a legal entity to the pool of orders of a channel. Channels then point to it by their setting.

    Raises:
        InvalidInput: a number that is none, or documents that would share one. Conflict: the code is taken.
    """
    tx.actor.require(ENTITIES)
    channel = await channels.cached(tx, data.channel)
    values = {name: getattr(data, name) for name in store.ENTITY_FIELDS}
    values["country"] = values["country"] or channel.country
    values["currency"] = values["currency"] or channel.currency
    _check(values)
    # The default first, so that this one is never taken for it.
    await default_of(tx, channel)
    made = await store.insert_entity(
        tx, new_id(), channel.pools[Resource.ORDERS], data.code, values, is_default=False
    )
    if made is None:
        raise Conflict.at("code", "is taken by another legal entity")
    _tell_created(tx, made, channel)
    return made


async def change(tx: Tx, entity: UUID, data: EntityChange, *, version: int | None = None) -> Entity:
    """Change a legal entity. What was issued stays as it is; the series goes on where it is.

    Raises:
        NotFound, Outdated. InvalidInput: a number that is none, or documents that would share one.
    """
    tx.actor.require(ENTITIES)
    before = await store.lock_entity(tx, entity)
    if before is None:
        raise NotFound("There is no such legal entity.")
    check_version(version, before.version)
    wanted = {
        name: getattr(data, name)
        for name in EntityChange.__struct_fields__
        if getattr(data, name) is not msgspec.UNSET and getattr(data, name) != getattr(before, name)
    }
    if not wanted:
        return before
    merged = {name: getattr(before, name) for name in store.ENTITY_FIELDS} | wanted
    _check(merged)
    if {"is_yearly", "year_begins"} & wanted.keys():
        await _check_unused(tx, entity, merged)
    changed = await store.update_entity(tx, entity, {name: merged[name] for name in wanted})
    log.append(tx, events.LegalEntityChanged(code=changed.code, fields=sorted(wanted)), subject=entity)
    audit.record(tx, "legal-entity.changed", "legal-entity", entity, before=before, after=changed)
    return changed


async def get(reader: Reader, entity: UUID) -> Entity:
    """One legal entity.

    Raises:
        NotFound: there is none with this id.
    """
    found = await store.entity(reader, entity)
    if found is None:
        raise NotFound("There is no such legal entity.")
    return found


async def seller_of(tx: Tx, channel: Channel) -> Entity:
    """Who sells in a channel: whom its setting names, else the default of its pool, which is made if need be."""
    named = channel.setting(SETTING)
    if named:
        found = await store.entity(tx, UUID(named))
        if found is not None:
            return found
    return await default_of(tx, channel)


async def look_up(reader: Reader, channel: Channel) -> Entity | None:
    """`seller_of` for who only reads: None where nothing was said and nothing issued yet."""
    named = channel.setting(SETTING)
    found = await store.entity(reader, UUID(named)) if named else None
    return found or await store.default_entity(reader, channel.pools[Resource.ORDERS])


async def default_of(tx: Tx, channel: Channel) -> Entity:
    """The default of a channel's pool of orders. The first who asks makes it; who asks meanwhile waits for that."""
    pool = channel.pools[Resource.ORDERS]
    found = await store.default_entity(tx, pool)
    if found is not None:
        return found
    main = await _main_of(tx, channel)
    made = await store.insert_entity(tx, new_id(), pool, main.code, from_channel(main), is_default=True)
    if made is not None:
        _tell_created(tx, made, channel)
        return made
    found = await store.default_entity(tx, pool)
    if found is None:  # its code is taken by one that somebody added
        values = from_channel(main)
        found = await store.insert_entity(
            tx, new_id(), pool, f"{main.code[:50]}-default", values, is_default=True
        )
    assert found is not None
    return found


def from_channel(channel: Channel) -> dict[str, Any]:
    """What a channel's own settings say of who sells."""
    return {
        "name": channel.name,
        "country": channel.country,
        "currency": channel.currency,
        "email": channel.setting("contact_email"),
    }


async def _main_of(tx: Tx, channel: Channel) -> Channel:
    """The uppermost parent that shares the channel's pool of orders."""
    pool = channel.pools[Resource.ORDERS]
    while channel.parent is not None:
        parent = await channels.cached(tx, channel.parent)
        if parent.pools[Resource.ORDERS] != pool:
            break
        channel = parent
    return channel


async def _check_unused(tx: Tx, entity: UUID, values: dict[str, Any]) -> None:
    """Series that begin anew must not come to numbers that there are."""
    errors = []
    for kind, field in ((Kind.INVOICE, "invoice_prefix"), (Kind.CREDIT_NOTE, "credit_prefix")):
        if await store.is_used(tx, entity, kind, rules.number_pattern(values[field])):
            errors.append(FieldError(field, "was used before: numbers that begin again need another one"))
    if errors:
        raise InvalidInput("Two documents could get the same number.", errors=tuple(errors))


def _tell_created(tx: Tx, made: Entity, channel: Channel) -> None:
    fact = events.LegalEntityCreated(
        pool=made.pool, code=made.code, name=made.name, is_default=made.is_default
    )
    log.append(tx, fact, subject=made.id, channel=channel.id)
    audit.record(tx, "legal-entity.created", "legal-entity", made.id, after=made)


def _check(values: dict[str, Any]) -> None:
    check_values({"country": values["country"], "currency": values["currency"]})
    rules.check_numbers(
        invoice_prefix=values["invoice_prefix"],
        credit_prefix=values["credit_prefix"],
        is_yearly=values["is_yearly"],
    )
    errors = []
    for name, check, example in (
        ("iban", iban.validate, "an IBAN such as SE45 5000 0000 0583 9825 7466"),
        ("bic", bic.validate, "a BIC such as ESSESESS"),
    ):
        if values[name]:
            try:
                values[name] = check(values[name])
            except ValidationError:
                errors.append(FieldError(name, f"not {example}"))
    if errors:
        raise InvalidInput("Some of the input is not right.", errors=tuple(errors))
