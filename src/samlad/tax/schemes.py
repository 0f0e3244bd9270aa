"""Schemes beside the ordinary rules: the margin scheme for second-hand goods, art and antiques, and the import one-stop
shop. Verbs and their SQL."""

import re
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import UNSET, structs

from samlad import channels
from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound
from samlad.tax import setup, store
from samlad.tax.events import TaxSchemeChanged
from samlad.tax.model import Scheme, SchemeChange, SchemeInput, SchemeKind
from samlad.tax.permissions import CHANGE
from samlad.tax.territories import EU

IOSS_LIMIT_EUR = 15_000
"""150.00 EUR of goods in a parcel (directive 2006/112/EC, article 369l), in minor units."""
_IOSS_NUMBER = re.compile(r"IM\d{10}")
_COLUMNS = "id, channel, scheme, tax_class, number, most, valid_from, valid_to, version"

SCHEMES = Listing(
    row=Scheme,
    select=_COLUMNS,
    source="tax_scheme",
    key="id",
    sorts={"scheme": Sort("scheme || ' ' || valid_from::text"), "valid_from": Sort("valid_from", "date")},
    default_sort="scheme",
    filters={
        "scheme": Filter("scheme = ANY({})", texts),
        "channel": Filter("channel IN (SELECT id FROM channel WHERE code = ANY({}))", texts),
    },
)


async def use(tx: Tx, data: SchemeInput) -> Scheme:
    """Say that a channel sells by a scheme from a day on.

    Raises:
        InvalidInput: no such channel or class, what the scheme asks for is missing, it ends before it begins.
        Conflict: the channel has another scheme for these goods at that time.
    """
    tx.actor.require(CHANGE)
    try:
        channel = await channels.by_code(tx, data.channel)
    except NotFound as error:
        raise InvalidInput.at("channel", error.detail) from None
    is_import = data.scheme is SchemeKind.IOSS
    most = data.most or (IOSS_LIMIT_EUR if channel.currency == "EUR" else None)
    faults = []
    if is_import and not _IOSS_NUMBER.fullmatch(data.number):
        faults.append(FieldError("number", "IM and ten digits, as the tax office gave it"))
    if is_import and data.tax_class is not None:
        faults.append(FieldError("tax_class", "the import scheme has all goods"))
    if is_import and channel.country in EU:
        faults.append(FieldError("channel", "it sells from inside the EU, where nothing is imported"))
    if is_import and most is None:
        faults.append(FieldError("most", f"say what 150 euros are in {channel.currency} (minor units)"))
    if not is_import and data.tax_class not in {each.code for each in await store.classes(tx)}:
        faults.append(FieldError("tax_class", "the class of the goods that are sold so"))
    if data.valid_to is not None and data.valid_to <= data.valid_from:
        faults.append(FieldError("valid_to", "must be after valid_from"))
    if faults:
        raise InvalidInput("Some of the input is not right.", errors=tuple(faults))
    made = Scheme(
        id=new_id(),
        channel=channel.id,
        scheme=data.scheme,
        tax_class=data.tax_class,
        number=data.number if is_import else "",
        most=most if is_import else None,
        valid_from=data.valid_from,
        valid_to=data.valid_to,
        version=1,
    )
    await _put(tx, made)
    audit.record(tx, "tax.scheme-used", "tax_scheme", made.id, after=made)
    return made


async def change(tx: Tx, scheme_id: UUID, data: SchemeChange, expected: int | None = None) -> Scheme:
    """Change from when to when a scheme is used: normally the day on which it ends. Orders keep how they were taxed.

    Raises:
        NotFound, Outdated, Conflict, InvalidInput: as for `use`.
    """
    tx.actor.require(CHANGE)
    old = await read(tx, scheme_id, lock=True)
    check_version(expected, old.version)
    given: dict[str, Any] = {n: v for n, v in structs.asdict(data).items() if v is not UNSET}
    made = structs.replace(old, **given, version=old.version + 1)
    if made.valid_to is not None and made.valid_to <= made.valid_from:
        raise InvalidInput.at("valid_to", "must be after valid_from")
    await _put(tx, made)
    audit.record(tx, "tax.scheme-changed", "tax_scheme", made.id, before=old, after=made)
    return made


async def _put(tx: Tx, made: Scheme) -> None:
    try:
        await tx.execute(
            f"""INSERT INTO tax_scheme ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ON CONFLICT (id) DO UPDATE SET (valid_from, valid_to, version)
                    = (excluded.valid_from, excluded.valid_to, excluded.version)""",
            *(getattr(made, field) for field in Scheme.__struct_fields__),
        )
    except asyncpg.ExclusionViolationError:
        raise Conflict.at("valid_from", "The channel has a scheme for these goods at that time.") from None
    tx.after_commit(setup.forget)
    fact = TaxSchemeChanged(
        scheme=made.scheme, tax_class=made.tax_class, valid_from=made.valid_from, valid_to=made.valid_to
    )
    log.append(tx, fact, subject=made.id, channel=made.channel)


async def read(reader: Reader, scheme_id: UUID, *, lock: bool = False) -> Scheme:
    """One use of a scheme. Raises NotFound."""
    sql = f"SELECT {_COLUMNS} FROM tax_scheme WHERE id = $1{' FOR UPDATE' if lock else ''}"
    found = await reader.one(Scheme, sql, scheme_id)
    if found is None:
        raise NotFound("There is no such scheme.")
    return found
