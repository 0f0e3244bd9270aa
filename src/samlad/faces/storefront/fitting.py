"""Sizes on the page of a product: its chart, and which size to take, with the reason."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from samlad import recommendations
from samlad.catalog import ProductView, size_charts
from samlad.catalog.model import NamedTexts
from samlad.catalog.sellables import language_of
from samlad.catalog.size_charts import SizeChart
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import person
from samlad.kernel.http import database_of
from samlad.recommendations import SizeAdvice, size_option

PREFIX = "m."
"""Before the names of measures in the address."""


async def section(request: AnyRequest, channel: Channel, product: ProductView) -> dict[str, Any]:
    """The chart with what is typed of measures, and the advice. A statement where there are sizes, two for who is signed in."""
    nothing: dict[str, Any] = {"chart": None, "advice": ""}
    if not product.options:
        return nothing
    database = database_of(request)
    chart = await size_charts.of_product(database, product.id)
    option = size_option(product.options, [row.size for row in chart.rows] if chart else [])
    if option is None:
        return nothing
    measures = _measures(request, chart)
    advice = recommendations.by_measures(chart, measures) if chart and measures else None
    who = await person.signed_in(request, channel)
    if advice is None and who is not None:
        sizes = [row.size for row in chart.rows] if chart else list(option.values)
        advice = await recommendations.size_for(
            database, who, option.name, sizes, brand=product.brand, category=product.category_path
        )
    _ = face.words(request)
    spoken = chart.translations.get(language_of(channel.locale), NamedTexts()) if chart else NamedTexts()
    said = _said(_, advice, spoken.words) if advice else ""
    if not said and measures:
        said = _("No size of the chart is large enough. Write to us, we look for something that fits.")
    return {
        "chart": _shown(chart, spoken, face.locale_of(request), advice.size if advice else None)
        if chart
        else None,
        "measures": [
            (PREFIX + name, spoken.words.get(name, name), f"{measures[name]:g}" if name in measures else "")
            for name in (chart.measures if chart else ())
        ],
        "advice": said,
        "is_measured": bool(measures),
    }


def _measures(request: AnyRequest, chart: SizeChart | None) -> dict[str, float]:
    """What was typed, in the unit of the chart; what is no length is left out."""
    found = {}
    for name in chart.measures if chart else ():
        text = (request.query_params.get(PREFIX + name) or "").strip().replace(",", ".")
        if text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) < 8 and float(text) > 0:
            found[name] = float(text)
    return found


def _shown(chart: SizeChart, spoken: NamedTexts, locale: str, size: str | None) -> dict[str, Any]:
    def text(span: Sequence[float] | None) -> str:
        if span is None:
            return "–"
        return "–".join(formats.number(value, locale) for value in span)

    return {
        "name": spoken.name or chart.name,
        "unit": chart.unit,
        "note": spoken.description or chart.note,
        "heads": [spoken.words.get(name, name) for name in chart.measures],
        "rows": [(row.size, [text(span) for span in row.values], row.size == size) for row in chart.rows],
    }


def _said(_: Callable[[str], str], advice: SizeAdvice, words: Mapping[str, str]) -> str:
    """The advice with its reason, in words."""
    values = {
        "size": advice.size,
        "tried": advice.tried,
        "brand": advice.brand,
        "measure": words.get(advice.measure or "", advice.measure),
    }
    shape = {
        ("kept", True): _("Take %(size)s: you kept %(size)s of %(brand)s."),
        ("kept", False): _("Take %(size)s: you kept %(size)s of things like this."),
        ("larger", True): _("Take %(size)s: %(tried)s of %(brand)s was too small for you."),
        ("larger", False): _("Take %(size)s: %(tried)s was too small for you in things like this."),
        ("smaller", True): _("Take %(size)s: %(tried)s of %(brand)s was too large for you."),
        ("smaller", False): _("Take %(size)s: %(tried)s was too large for you in things like this."),
        ("measured", False): _("Take %(size)s: by “%(measure)s” you are in it."),
        ("between", False): _(
            "Take %(size)s: by “%(measure)s” you are between two sizes, and a little wide can be worn."
        ),
    }
    return shape[advice.basis, advice.brand is not None] % values
