"""The verbs of tax: classes, rates, and where the seller is registered."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, structs

from samlad import channels
from samlad.access import audit
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.tax import setup, store
from samlad.tax.events import (
    TaxClassCreated,
    TaxRateChanged,
    TaxRateCreated,
    TaxRegistered,
    TaxRegistrationChanged,
)
from samlad.tax.model import (
    Category,
    Registration,
    RegistrationChange,
    RegistrationInput,
    TaxClass,
    TaxClassInput,
    TaxRate,
    TaxRateChange,
    TaxRateInput,
)
from samlad.tax.numbers import own_number
from samlad.tax.permissions import CHANGE
from samlad.tax.rules import plain_category


async def create_class(tx: Tx, data: TaxClassInput) -> TaxClass:
    """A new tax class.

    Raises:
        Conflict: the code is taken.
    """
    tx.actor.require(CHANGE)
    made = await store.insert_class(tx, data.code, data.name, data.description)
    if made is None:
        raise Conflict.at("code", f"There is a tax class “{data.code}” already.")
    log.append(tx, TaxClassCreated(code=made.code, name=made.name))
    audit.record(tx, "tax.class-created", "tax_class", None, after=made)
    return made


async def create_rate(tx: Tx, data: TaxRateInput) -> TaxRate:
    """A new rate.

    Raises:
        Conflict: it overlaps a rate of the same pool, country, region and class. End that one first.
        InvalidInput: unknown class or channel, it ends before it begins, a category that does not go with the rate.
    """
    tx.actor.require(CHANGE)
    if data.tax_class not in {each.code for each in await store.classes(tx)}:
        raise InvalidInput.at("tax_class", "There is no such tax class.")
    pool = None if data.channel is None else (await _channel(tx, data.channel)).pools[Resource.PRICES]
    given = structs.asdict(data)
    del given["channel"]
    if given["category"] is UNSET:
        given["category"] = _category(data.rate_bp)
    made = TaxRate(id=new_id(), pool=pool, version=1, **given)
    await _put_rate(tx, made)
    fact = TaxRateCreated(
        country=made.country,
        region=made.region,
        tax_class=made.tax_class,
        rate_bp=made.rate_bp,
        valid_from=made.valid_from,
        valid_to=made.valid_to,
    )
    log.append(tx, fact, subject=made.id)
    audit.record(tx, "tax.rate-created", "tax_rate", made.id, after=made)
    return made


async def change_rate(tx: Tx, rate_id: UUID, data: TaxRateChange, expected: int | None = None) -> TaxRate:
    """Change a rate. What was sold before keeps the rate that it was sold with.

    Raises:
        NotFound, Outdated, Conflict, InvalidInput: as for `create_rate`.
    """
    tx.actor.require(CHANGE)
    old = await store.rate(tx, rate_id, lock=True)
    check_version(expected, old.version)
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    turns = (given.get("rate_bp", old.rate_bp) > 0) != (old.category == Category.STANDARD)
    if turns and "category" not in given:
        given["category"] = _category(given["rate_bp"])
    changed = {name: value for name, value in given.items() if value != getattr(old, name)}
    if not changed:
        return old
    made = structs.replace(old, **changed, version=old.version + 1)
    await _put_rate(tx, made)
    before, after = _differences(old, changed)
    fact = TaxRateChanged(country=made.country, tax_class=made.tax_class, before=before, after=after)
    log.append(tx, fact, subject=made.id)
    audit.record(tx, "tax.rate-changed", "tax_rate", made.id, before=before, after=after)
    return made


def _category(rate_bp: int) -> str:
    return str(plain_category(rate_bp))


async def _put_rate(tx: Tx, made: TaxRate) -> None:
    _check_days(made)
    if (made.category == Category.STANDARD) != (made.rate_bp > 0):
        raise InvalidInput.at("category", "S goes with a rate above 0, Z, E and O with 0")
    await store.put_rate(tx, made)
    tx.after_commit(setup.forget)


async def register(tx: Tx, data: RegistrationInput) -> Registration:
    """Say that the seller is registered for VAT in a country.

    Raises:
        InvalidInput: no such channel, a number that cannot be one of that country, it ends before it begins.
        Conflict: the channel has one of this country at that time.
    """
    tx.actor.require(CHANGE)
    channel = await _channel(tx, data.channel)
    made = Registration(
        id=new_id(),
        channel=channel.id,
        country=data.country,
        number=own_number(data.country, data.number),
        valid_from=data.valid_from,
        valid_to=data.valid_to,
        version=1,
    )
    await _put_registration(tx, made)
    fact = TaxRegistered(
        country=made.country, number=made.number, valid_from=made.valid_from, valid_to=made.valid_to
    )
    log.append(tx, fact, subject=made.id, channel=made.channel)
    audit.record(tx, "tax.registered", "tax_registration", made.id, after=made)
    return made


async def change_registration(
    tx: Tx, registration_id: UUID, data: RegistrationChange, expected: int | None = None
) -> Registration:
    """Change a registration: normally the day on which it ends.

    Raises:
        NotFound, Outdated, Conflict, InvalidInput: as for `register`.
    """
    tx.actor.require(CHANGE)
    old = await store.registration(tx, registration_id, lock=True)
    check_version(expected, old.version)
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    if "number" in given:
        given["number"] = own_number(old.country, given["number"])
    changed = {name: value for name, value in given.items() if value != getattr(old, name)}
    if not changed:
        return old
    made = structs.replace(old, **changed, version=old.version + 1)
    await _put_registration(tx, made)
    before, after = _differences(old, changed)
    fact = TaxRegistrationChanged(country=made.country, before=before, after=after)
    log.append(tx, fact, subject=made.id, channel=made.channel)
    audit.record(tx, "tax.registration-changed", "tax_registration", made.id, before=before, after=after)
    return made


async def _put_registration(tx: Tx, made: Registration) -> None:
    _check_days(made)
    await store.put_registration(tx, made)
    tx.after_commit(setup.forget)


def _check_days(made: TaxRate | Registration) -> None:
    if made.valid_to is not None and made.valid_to <= made.valid_from:
        raise InvalidInput.at("valid_to", "must be after valid_from")


def _differences(old: msgspec.Struct, changed: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {name: getattr(old, name) for name in changed}, dict(changed)


async def _channel(tx: Tx, code: str) -> Channel:
    try:
        return await channels.by_code(tx, code)
    except NotFound as error:
        raise InvalidInput.at("channel", error.detail) from None
