"""The verbs of labels: somebody asks for them, a job makes them, whoever may reads the file."""

import asyncio
from functools import partial
from urllib.parse import quote
from uuid import UUID

import msgspec

from samlad import catalog, channels
from samlad.catalog import Measure, prices, product_store
from samlad.catalog.measures import per_text
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, Resource
from samlad.documents.joining import join
from samlad.kernel import jobs, log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.i18n import formatting_locale, marked, negotiate, translator
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, Retry, job
from samlad.kernel.money import format_money
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.kernel.sweepers import Sweeper
from samlad.labels import events, rules, store
from samlad.labels.model import MOST_LABELS, LabelRun, LabelRunInput, NoFile, RunState, Tag
from samlad.labels.permissions import MAKE

JOB = "labels.make"
RETRY = Retry(attempts=3)
MOST_MISSING = 200
NOTHING = marked("Nothing that is sold here fits.")
TOO_MANY = marked("That would be more than 20,000 labels. Choose fewer goods at a time.")
BROKEN = marked("The labels could not be made. It was logged.")


async def ask(tx: Tx, data: LabelRunInput) -> LabelRun:
    """Somebody wants labels; a job makes them. The same ``id`` again is the same run.

    Raises:
        NotFound: no such channel. InvalidInput: nothing is chosen, or ZPL for a sheet.
    """
    tx.actor.require(MAKE)
    channel = await channels.get(tx, data.channel)
    if not (data.picks or data.category or data.brand or data.tag or data.changed_since):
        raise InvalidInput.at("picks", "say which goods: codes, a category, a brand, a tag, or since when")
    template = rules.TEMPLATES[data.template]
    if data.form == "zpl" and template.a_page > 1:
        raise InvalidInput.at("form", "label printers have rolls: choose roll-58x40")
    if data.skip >= template.a_page:
        raise InvalidInput.at("skip", f"less than the {template.a_page} labels of a sheet")
    run_id = data.id or new_id()
    if await store.insert(tx, run_id, channel.id, data.template, msgspec.to_builtins(data)):
        await jobs.defer(tx, JOB, {"run": run_id})
        log.append(tx, events.LabelsAsked(template=data.template), subject=run_id, channel=channel.id)
    return await _read(tx, run_id)


async def content(reader: Reader, run_id: UUID) -> tuple[LabelRun, bytes]:
    """A run with its file.

    Raises:
        NotFound: there is no such run. NoFile: it is not made yet, or was too long ago.
    """
    found = await _read(reader, run_id)
    made = await store.content(reader, run_id)
    if made is None:
        raise NoFile(
            "Ask for them anew." if found.ended_at else "They are being made.", state=str(found.state)
        )
    return found, made


async def _read(reader: Reader, run_id: UUID) -> LabelRun:
    found = await store.run(reader, run_id)
    if found is None:
        raise NotFound("There are no such labels.")
    return found


@job(JOB, retry=RETRY)
async def make(ctx: JobContext, run: UUID) -> None:
    """Make the labels of a run. Made before, nothing happens."""
    database = ctx.database
    raw = await store.wanted(database, run)
    if raw is None:
        return
    data = msgspec.convert(raw, LabelRunInput)
    try:
        await _make(database, run, data)
    except Exception:
        if ctx.attempt >= RETRY.attempts:
            await _end(database, run, data, RunState.FAILED, reason=BROKEN)
        raise


async def _make(database: Database, run: UUID, data: LabelRunInput) -> None:
    before = await _read(database, run)
    if not before.total:
        await _plan(database, run, data)
    await _draw(database, run, data)


async def _plan(database: Database, run: UUID, data: LabelRunInput) -> None:
    """Write down what they say, so that they say the same when the job goes on after it was killed."""
    channel = await channels.get(database, data.channel)
    counted, missing = await chosen(database, channel, data)
    found = await tags(database, channel, counted)
    labels = sum(tag.copies for tag in found)
    if not found or labels > MOST_LABELS:
        reason = NOTHING if not found else TOO_MANY
        await _end(database, run, data, RunState.FAILED, missing=missing, reason=reason)
        return
    parts = rules.parts(found, rules.TEMPLATES[data.template].a_page, data.skip)
    await database.transaction(lambda tx: store.plan(tx, run, missing, parts, data.skip))


async def _draw(database: Database, run: UUID, data: LabelRunInput) -> None:
    """Draw part after part, and put them together."""
    from samlad.labels import drawing  # loads the libraries of PDF, which most processes never need

    template = rules.TEMPLATES[data.template]
    while (part := await store.next_part(database, run)) is not None:
        if data.form == "zpl":
            made = drawing.zpl(template, part.tags, with_qr=data.with_qr)
        else:
            made = await asyncio.to_thread(
                drawing.pdf, template, part.tags, skip=part.skip, with_qr=data.with_qr
            )
        await database.transaction(partial(store.drawn, run_id=run, part=part.part, content=made))
    drawn = await store.parts(database, run)
    if not drawn:
        return  # another process has put them together
    whole = b"".join(drawn) if data.form == "zpl" else await asyncio.to_thread(join, drawn)
    await _end(database, run, data, RunState.READY, made=whole)


async def chosen(reader: Reader, channel: Channel, data: LabelRunInput) -> tuple[dict[UUID, int], list[str]]:
    """Which variants, and how many labels of each; and which codes nobody knows."""
    pool = channel.pools[Resource.CATALOGUE]
    if data.picks:
        known = await product_store.variants_by_codes(reader, pool, [pick.code for pick in data.picks])
        counted: dict[UUID, int] = {}
        for pick in data.picks:
            if (variant := known.get(pick.code)) is not None:
                counted[variant] = counted.get(variant, 0) + pick.copies * data.copies
        return counted, [pick.code for pick in data.picks if pick.code not in known][:MOST_MISSING]
    among = None
    if data.changed_since is not None:
        among = await prices.changed_since(reader, channel, data.changed_since, 10 * MOST_LABELS)
    found = await product_store.variants_like(
        reader,
        pool,
        category=data.category,
        brand=data.brand,
        tag=data.tag,
        among=among,
        limit=MOST_LABELS + 1,
    )
    return dict.fromkeys(found, data.copies), []


async def tags(reader: Database, channel: Channel, counted: dict[UUID, int]) -> list[Tag]:
    """What the labels say, in the order in which they were chosen; what has no price here is left out."""
    ids = list(counted)
    sold = await catalog.sellables(reader, channel, ids)
    codes = {each.id: each for each in await catalog.codes_of(reader, ids)}
    contents = await product_store.contents_of(reader, ids, str(channel.setting("content_attribute")))
    language = negotiate(language_of(channel.locale))
    locale, _ = str(formatting_locale(channel.locale)), translator(language).gettext
    shop = channels.shop_address(reader.settings, channel)
    made = []
    for variant, copies in counted.items():
        if (each := sold.get(variant)) is None or each.price is None or not each.is_available:
            continue
        code, unit = (
            codes[variant],
            rules.unit_price(each.price, contents.get(variant, "") if each.sold_by is Measure.PIECE else ""),
        )
        amount = format_money(unit[0], each.currency, locale) if unit else ""
        lowest = (
            "" if each.reference_price is None else format_money(each.reference_price, each.currency, locale)
        )
        path = f"/p/{quote(each.handle, safe='')}?variant={quote(each.sku, safe='')}"
        made.append(
            Tag(
                title=each.title,
                options=each.options,
                price=format_money(each.price, each.currency, locale) + per_text(each.sold_by),
                unit_price=f"{amount}/{unit[1]}" if unit else "",
                lowest=_("Lowest price in 30 days: %(price)s") % {"price": lowest} if lowest else "",
                code=code.gtin or code.sku,
                gtin=code.gtin,
                link=shop + (f"/01/{code.gtin}" if code.gtin else path),
                copies=copies,
            )
        )
    return made


async def _end(
    database: Database,
    run: UUID,
    data: LabelRunInput,
    state: RunState,
    *,
    missing: list[str] | None = None,
    reason: str = "",
    made: bytes = b"",
) -> None:
    async def work(tx: Tx) -> None:
        if await store.end(tx, run, state, missing=missing, reason=reason, content=made):
            counted = (await _read(tx, run)).labels
            log.append(tx, events.LabelsMade(state=state, labels=counted), subject=run, channel=data.channel)

    await database.transaction(work)


SWEEPERS = [Sweeper("labels.forget", 3600, store.forget_old)]
