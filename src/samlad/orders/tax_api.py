"""HTTP of what was taken of which tax."""

from datetime import date
from typing import Annotated, Any

from litestar import Response, Router, get
from litestar.params import QueryParameter

from samlad import channels
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.http import AnyRequest, actor_of, database_of
from samlad.kernel.listing import FileFormat, Wanted, texts
from samlad.kernel.problems import InvalidInput
from samlad.orders import tax_report
from samlad.orders.tax_report import LONGEST_DAYS, ThresholdMeter
from samlad.tax.permissions import REPORT


@get("/tax-report", summary="What was taken of which tax")
async def read_report(
    request: AnyRequest,
    start: Annotated[date, QueryParameter(description="First day, each channel's own")],
    end: Annotated[date, QueryParameter(description="Last day")],
    channel: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Any]:
    """Net and tax by country, rule and rate for a period, less what came back: what a VAT or one-stop shop return needs.

    Rows of the margin scheme say what the margins come to and the tax on them, which no document shows.

    ``channel`` are codes; without any, all channels.
    """
    actor_of(request).require(REPORT)
    check_period(start, end)
    chosen = await chosen_channels(request, channel)
    rows = await tax_report.report(database_of(request), chosen, start, end)
    if as_format == "csv":
        headers = {"Content-Disposition": f'attachment; filename="tax-{start}-{end}.csv"'}
        return Response(tax_report.as_csv(rows), media_type="text/csv", headers=headers)
    return Response(rows)


def check_period(start: date, end: date) -> None:
    """Raises InvalidInput for a period that ends before it begins, or is longer than ten years."""
    if end < start:
        raise InvalidInput.at("end", "must not be before start")
    if (end - start).days > LONGEST_DAYS:
        raise InvalidInput.at("end", f"at most {LONGEST_DAYS} days after start")
    if not start.year >= 1900 or end.year > 9000:
        raise InvalidInput.at("start" if start.year < 1900 else "end", "between the years 1900 and 9000")


async def chosen_channels(request: AnyRequest, codes: str | None) -> list[Channel]:
    """The channels with some codes, comma-separated; all without any. Raises InvalidInput for an unknown one."""
    known = {channel.code: channel for channel in await channels.cached_all(database_of(request))}
    wanted = texts(codes or "")
    for code in wanted:
        if code not in known:
            raise InvalidInput.at("channel", f"there is no channel “{code}”")
    return [known[code] for code in dict.fromkeys(wanted)] or list(known.values())


@get("/tax-thresholds", summary="How much of the distance selling threshold is used")
async def read_thresholds(
    request: AnyRequest,
    year: Annotated[int | None, QueryParameter(ge=2000, le=2200)] = None,
) -> list[ThresholdMeter]:
    """Net sales to consumers in other EU countries in a calendar year, by currency and country."""
    actor_of(request).require(REPORT)
    database = database_of(request)
    return await tax_report.meters(database, await channels.cached_all(database), year or now().year)


routes: list[Router] = [Router(path="/api", route_handlers=[read_report, read_thresholds], tags=["Tax"])]
