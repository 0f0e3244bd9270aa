"""HTTP of tax: classes, rates, registrations, and VAT numbers of customers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.access import rate
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.tax import checking, schemes, service, store
from samlad.tax.model import (
    NumberCheck,
    NumberStatus,
    Registration,
    RegistrationChange,
    RegistrationInput,
    Scheme,
    SchemeChange,
    SchemeInput,
    TaxClass,
    TaxClassInput,
    TaxRate,
    TaxRateChange,
    TaxRateInput,
    VatNumber,
)
from samlad.tax.numbers import customer_number
from samlad.tax.permissions import READ

NUMBERS, NUMBER_SECONDS = 20, 600
"""VAT numbers that one address may have checked in so many seconds: VIES is everybody's."""


@get("/tax-classes", summary="List tax classes")
async def list_tax_classes(request: AnyRequest) -> list[TaxClass]:
    """What is taxed alike. A class without a rate in a country is taxed at the standard rate there."""
    actor_of(request).require(READ)
    return await store.classes(database_of(request))


@post("/tax-classes", status_code=201, summary="Create a tax class")
async def create_tax_class(request: AnyRequest, data: JSONBody[TaxClassInput]) -> Response[TaxClass]:
    """Create a class of goods that some country taxes differently."""
    return await write(request, lambda tx: service.create_class(tx, data), status=201)


@get("/tax-rates", summary="List tax rates")
async def list_tax_rates(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    country: Wanted = None,
    region: Wanted = None,
    tax_class: Wanted = None,
    pool: Wanted = None,
    on: Annotated[
        str | None, QueryParameter(max_length=30, description="A date; only rates that hold then")
    ] = None,
    as_format: FileFormat = "json",
) -> Response[Page[TaxRate]]:
    """Tax rates in basis points (2500 is 25 %). Without a ``pool``: as shipped, for all; with one, that pool's own."""
    actor_of(request).require(READ)
    filters = {"country": country, "region": region, "tax_class": tax_class, "pool": pool, "on": on}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.RATES.answer(database_of(request), query, as_csv=as_format == "csv", name="tax-rates")


@post("/tax-rates", status_code=201, summary="Create a tax rate")
async def create_tax_rate(request: AnyRequest, data: JSONBody[TaxRateInput]) -> Response[TaxRate]:
    """Create a tax rate; end the one that holds now first. With a ``channel`` it goes before the law as shipped."""
    return await write(request, lambda tx: service.create_rate(tx, data), status=201)


@get("/tax-rates/{rate_id:uuid}", summary="Read a tax rate")
async def read_tax_rate(request: AnyRequest, rate_id: FromPath[UUID]) -> Response[TaxRate]:
    """One tax rate; the ETag is its version."""
    actor_of(request).require(READ)
    found = await store.rate(database_of(request), rate_id)
    return with_etag(found, found.version)


@patch("/tax-rates/{rate_id:uuid}", summary="Change a tax rate")
async def change_tax_rate(
    request: AnyRequest, rate_id: FromPath[UUID], data: JSONBody[TaxRateChange]
) -> Response[TaxRate]:
    """Change a tax rate: normally the day on which it ends. What was sold keeps the rate it was sold with."""
    version = if_match(request)
    return await write(request, lambda tx: service.change_rate(tx, rate_id, data, version))


@get("/tax-registrations", summary="List VAT registrations")
async def list_registrations(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    channel: Wanted = None,
    country: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Registration]]:
    """Where the seller is registered for VAT. ``channel`` is a code; children inherit their parents' rows."""
    actor_of(request).require(READ)
    filters = {"channel": channel, "country": country}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.REGISTRATIONS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="tax-registrations"
    )


@post("/tax-registrations", status_code=201, summary="Add a VAT registration")
async def create_registration(
    request: AnyRequest, data: JSONBody[RegistrationInput]
) -> Response[Registration]:
    """Say that the seller is registered in a country: what goes there is taxed there from that day on."""
    return await write(request, lambda tx: service.register(tx, data), status=201)


@get("/tax-registrations/{registration_id:uuid}", summary="Read a VAT registration")
async def read_registration(request: AnyRequest, registration_id: FromPath[UUID]) -> Response[Registration]:
    """One registration; the ETag is its version."""
    actor_of(request).require(READ)
    found = await store.registration(database_of(request), registration_id)
    return with_etag(found, found.version)


@patch("/tax-registrations/{registration_id:uuid}", summary="Change a VAT registration")
async def change_registration(
    request: AnyRequest, registration_id: FromPath[UUID], data: JSONBody[RegistrationChange]
) -> Response[Registration]:
    """Change a registration: normally the day on which it ends. Orders keep how they were taxed."""
    version = if_match(request)
    return await write(request, lambda tx: service.change_registration(tx, registration_id, data, version))


@get("/tax-schemes", summary="List tax schemes")
async def list_schemes(
    request: AnyRequest,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    sort: Sorting = None,
    channel: Wanted = None,
    scheme: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Scheme]]:
    """Margin and import schemes by channel. ``channel`` is a code; children inherit their parents' rows."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"channel": channel, "scheme": scheme})
    return await schemes.SCHEMES.answer(
        database_of(request), query, as_csv=as_format == "csv", name="tax-schemes"
    )


@post("/tax-schemes", status_code=201, summary="Use a tax scheme")
async def use_scheme(request: AnyRequest, data: JSONBody[SchemeInput]) -> Response[Scheme]:
    """The margin scheme for a class of goods, or the import one-stop shop, from a day on."""
    return await write(request, lambda tx: schemes.use(tx, data), status=201)


@get("/tax-schemes/{scheme_id:uuid}", summary="Read a tax scheme")
async def read_scheme(request: AnyRequest, scheme_id: FromPath[UUID]) -> Response[Scheme]:
    """One use of a scheme; the ETag is its version."""
    actor_of(request).require(READ)
    found = await schemes.read(database_of(request), scheme_id)
    return with_etag(found, found.version)


@patch("/tax-schemes/{scheme_id:uuid}", summary="Change a tax scheme")
async def change_scheme(
    request: AnyRequest, scheme_id: FromPath[UUID], data: JSONBody[SchemeChange]
) -> Response[Scheme]:
    """From when to when it is used. Orders keep how they were taxed."""
    version = if_match(request)
    return await write(request, lambda tx: schemes.change(tx, scheme_id, data, version))


class NumberInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A VAT number as somebody types it."""

    number: Annotated[VatNumber, msgspec.Meta(min_length=1)]


class NumberAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a VAT number. Name, address and consultation number are for staff."""

    number: str
    status: NumberStatus
    checked_at: datetime | None
    name: str | None = None
    address: str | None = None
    consultation: str | None = None


async def check_for(request: AnyRequest, text: str, field: str = "vat_number") -> NumberCheck:
    """Check a VAT number for somebody, who may do so a few times in a while unless they work here.

    Raises:
        InvalidInput: it cannot be one. TooMany: so often.
    """
    number = customer_number(text, field)
    database = database_of(request)
    if not actor_of(request).may(READ):
        who = request.client.host if request.client else "?"
        await database.transaction(
            lambda tx: rate.limit(tx, "tax.numbers", who, per=NUMBER_SECONDS, max=NUMBERS)
        )
    return await checking.check(database, number, field=field)


@post("/vat-numbers/check", status_code=200, summary="Check a VAT number")
async def check_number(request: AnyRequest, data: JSONBody[NumberInput]) -> NumberAnswer:
    """Whether a VAT number of the EU is one: by its check digits, and by VIES unless that answered in the last day.

    ``format``: VIES is silent now; it is asked again by itself. Open to everybody, a few times in ten minutes.
    """
    is_staff = actor_of(request).may(READ)
    found = await check_for(request, data.number, "number")
    return NumberAnswer(
        number=found.number,
        status=found.status,
        checked_at=found.checked_at,
        name=found.name if is_staff else None,
        address=found.address if is_staff else None,
        consultation=found.consultation if is_staff else None,
    )


routes: list[Router] = [
    Router(
        path="/api",
        route_handlers=[
            list_tax_classes,
            create_tax_class,
            list_tax_rates,
            create_tax_rate,
            read_tax_rate,
            change_tax_rate,
            list_registrations,
            create_registration,
            read_registration,
            change_registration,
            list_schemes,
            use_scheme,
            read_scheme,
            change_scheme,
            check_number,
        ],
        tags=["Tax"],
    )
]
