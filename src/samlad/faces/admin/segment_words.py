"""What conditions say, as a sentence that people read: *have placed at least 2 orders in the last 365 days, and …*.

Each leaf is what comes behind "People who": a clause of its own in every language, with blanks for numbers, goods and times.
Groups join clauses by *and* and *or*, with brackets where one lies in another.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

from samlad.audiences.choices import OF_EVENTS, is_id
from samlad.audiences.conditions import (
    All,
    AnyOf,
    Condition,
    Consented,
    CustomerSince,
    EventProperty,
    HasOrders,
    HasPoints,
    HasReturns,
    InRfm,
    InSegment,
    InTier,
    Listed,
    Not,
    OpenCart,
    OrderDate,
    Other,
    PastWindow,
    Subscribed,
    Tagged,
    Tracked,
    Trait,
    TraitField,
    TraitOp,
    UsedPromotion,
    Wanted,
    WhichGoods,
)
from samlad.faces.admin import segment_names as names
from samlad.kernel.i18n import formatting_locale, translator
from samlad.kernel.money import format_money

Labels = Mapping[tuple[str, str], str]


class Words:
    """The words of a language, and the names of what conditions name."""

    def __init__(self, locale: str, labels: Labels, number: Callable[[int], str] = str) -> None:
        self.locale, self.labels, self.number = locale, labels, number
        self._ = translator(locale).gettext

    def named(self, source: str, values: Sequence[Any] | None) -> str:
        """Values by name: “A”, “B” or “C”. What an id was of and is gone has no name any more, and no id is shown."""
        return self.either([self.one((source,), str(each)) for each in values or ()])

    def one(self, sources: Sequence[str], value: str) -> str:
        """A value by its name, from the first source that knows it."""
        known = next(
            (self.labels[source, value] for source in sources if (source, value) in self.labels), None
        )
        if known is None and is_id(value):
            return self._("something that is gone")
        return f"“{known or value}”"

    def country(self, code: str) -> str:
        """A country by its name."""
        return str(formatting_locale(self.locale).territories.get(code.upper(), code))

    def language(self, code: str) -> str:
        """A language by its name."""
        return str(formatting_locale(self.locale).languages.get(code.lower(), code))

    def either(self, shown: Sequence[str]) -> str:
        """Some texts with *or* before the last."""
        if len(shown) < 2:
            return "".join(shown)
        return self._("%(some)s or %(last)s") % {"some": ", ".join(shown[:-1]), "last": shown[-1]}

    def money(self, amount: int, currency: str | None) -> str:
        """An amount as people write it."""
        return self.number(amount) if currency is None else format_money(amount, currency, self.locale)


def sentence(definition: Condition, words: Words) -> str:
    """The whole as one sentence."""
    if isinstance(definition, All) and not definition.of:
        return words._("Everybody.")
    if isinstance(definition, AnyOf) and not definition.of:
        return words._("Nobody.")
    return words._("People who %(what)s.") % {"what": clause(definition, words, is_inside=False)}


def clause(condition: Condition, words: Words, *, is_inside: bool = True) -> str:
    """What holds for somebody, without a subject; groups that lie in others in brackets."""
    _ = words._
    if isinstance(condition, Not) and isinstance(condition.of, OrderDate) and _is_open(condition.of):
        return _joined(_("have not ordered"), _when_ordered(condition.of, words))
    if isinstance(condition, Not):
        return _("are not among those who %(what)s") % {"what": clause(condition.of, words)}
    if isinstance(condition, All | AnyOf):
        if not condition.of:
            return _("are anybody") if isinstance(condition, All) else _("are nobody")
        inside = [clause(each, words, is_inside=len(condition.of) > 1) for each in condition.of]
        glue = (
            _("%(one)s, and who %(other)s") if isinstance(condition, All) else _("%(one)s, or who %(other)s")
        )
        joined = _chained(inside, glue)
        return f"({joined})" if is_inside and len(inside) > 1 else joined
    return _LEAVES[type(condition)](condition, words)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _times(low: int | None, high: int | None, words: Words, show: Callable[[int], str] | None = None) -> str:
    _, shown = words._, show or words.number
    if low is not None and high is not None:
        if low == high:
            return _("exactly %(number)s") % {"number": shown(low)}
        return _("%(low)s to %(high)s") % {"low": shown(low), "high": shown(high)}
    if low is not None:
        return _("at least %(number)s") % {"number": shown(low)}
    return _("at most %(number)s") % {"number": shown(high or 0)}


def window(within: PastWindow | None, words: Words) -> str:
    """A part of the past as an adverb; nothing for ever."""
    _ = words._
    if within is None:
        return ""
    if within.days is not None:
        return _("in the last %(number)s days") % {"number": words.number(within.days)}
    if within.hours is not None:
        return _("in the last %(number)s hours") % {"number": words.number(within.hours)}
    if within.since and within.until:
        return _("from %(since)s to %(until)s") % {"since": within.since, "until": within.until}
    if within.since:
        return _("since %(since)s") % {"since": within.since}
    return _("until %(until)s") % {"until": within.until}


def _goods(goods: WhichGoods | None, words: Words) -> str:
    _ = words._
    if goods is None:
        return ""
    shown = []
    for text, source, values in (
        (_("of the category %(what)s"), "categories", goods.categories),
        (_("of the product %(what)s"), "products", goods.products),
        (_("of the brand %(what)s"), "brands", goods.brands),
        (_("with the SKU %(what)s"), "skus", goods.skus),
    ):
        if values:
            shown.append(text % {"what": words.named(source, values)})
    return " ".join(shown)


def _where(channels: Sequence[Any] | None, words: Words) -> str:
    return words._("in %(what)s") % {"what": words.named("channels", channels)} if channels else ""


def _orders(condition: HasOrders, words: Words) -> str:
    _, money = words._, lambda amount: words.money(amount, condition.currency)
    which = _joined(
        _goods(condition.goods, words), _where(condition.channels, words), window(condition.within, words)
    )
    low, high = condition.at_least, condition.at_most
    if condition.measure == "count":
        if high == 0 and not low:
            return _joined(_("have bought nothing"), which)
        return _("have placed orders: %(number)s") % {"number": _joined(_times(low, high, words), which)}
    told = _joined(_times(low, high, words, money), which)
    if condition.measure == "sum":
        return _("have spent %(number)s") % {"number": told}
    return _("spend on an order on average %(number)s") % {"number": told}


def _is_open(condition: OrderDate) -> bool:
    """Whether a last order outside the window means none inside it: the window reaches until now."""
    return condition.which == "last" and condition.within.until is None


def _when_ordered(condition: OrderDate, words: Words) -> str:
    return _joined(
        window(condition.within, words), _goods(condition.goods, words), _where(condition.channels, words)
    )


def _order_date(condition: OrderDate, words: Words) -> str:
    _, which = words._, _when_ordered(condition, words)
    if condition.which == "first":
        return _("have ordered for the first time %(when)s") % {"when": which}
    return _("have ordered for the last time %(when)s") % {"when": which}


def _returns(condition: HasReturns, words: Words) -> str:
    _, when = words._, window(condition.within, words)
    low, high = condition.at_least, condition.at_most
    if condition.measure == "count":
        return _("have returned something: %(number)s times") % {"number": _times(low, high, words)} + (
            f" {when}" if when else ""
        )
    if condition.measure == "sum":
        told = _times(low, high, words, lambda amount: words.money(amount, condition.currency))
        return _joined(_("have returned goods worth %(number)s") % {"number": told}, when)
    told = _times(low, high, words, lambda share: f"{words.number(share)} %")
    return _joined(_("have returned %(number)s of the pieces") % {"number": told}, when)


def _promotion(condition: UsedPromotion, words: Words) -> str:
    _ = words._
    if condition.promotions:
        what = _("have used the promotion %(what)s") % {
            "what": words.named("promotions", condition.promotions)
        }
    else:
        what = _("have used any promotion")
    number = _("%(number)s times") % {"number": _times(condition.at_least, condition.at_most, words)}
    return _joined(what, number, window(condition.within, words))


_SHOWN: Mapping[TraitField, Callable[[Words, str], str]] = {
    TraitField.COUNTRY: Words.country,
    TraitField.LANGUAGE: Words.language,
}
"""Fields whose values are codes."""


def _trait(condition: Trait, words: Words) -> str:
    _, field = words._, words._(names.field[condition.field])
    if condition.op is TraitOp.IS_KNOWN:
        return _("have this known of them: %(field)s") % {"field": field}
    shown = _SHOWN.get(condition.field)
    values = words.either([f"“{shown(words, each) if shown else each}”" for each in condition.values])
    how = (
        _(names.op[condition.op]) if len(condition.values) > 1 or condition.op is not TraitOp.IS else _("is")
    )
    return _("have this said of them: %(field)s %(how)s %(values)s") % {
        "field": field,
        "how": how,
        "values": values,
    }


def _since(condition: CustomerSince, words: Words) -> str:
    return words._("have become known %(when)s") % {"when": window(condition.within, words)}


def _property(each: EventProperty, words: Words) -> str:
    _ = words._
    if isinstance(each.value, bool):
        value = _("yes") if each.value else _("no")
    else:
        value = (
            ""
            if each.value is None
            else f"“{each.value:g}”"
            if isinstance(each.value, float)
            else words.one(OF_EVENTS, each.value)
        )
    return _joined(each.name, _(names.property_op[each.op]), value)


def _tracked(condition: Tracked, words: Words) -> str:
    _, when = words._, window(condition.within, words)
    told = _times(condition.at_least, condition.at_most, words)
    if condition.sum_of is not None:
        what = _("have with “%(event)s” a sum of “%(property)s” of %(number)s") % {
            "event": condition.name, "property": condition.sum_of, "number": told,
        }  # fmt: skip
    elif condition.at_most == 0 and not condition.at_least:
        what = _("never did “%(event)s”") % {"event": condition.name}
    else:
        what = _("did “%(event)s” %(number)s times") % {"event": condition.name, "number": told}
    only = [_property(each, words) for each in condition.properties]
    with_ = _("with %(what)s") % {"what": _chained(only, _("%(one)s and %(other)s"))} if only else ""
    return _joined(what, with_, when)


def _points(condition: HasPoints, words: Words) -> str:
    return words._("have %(number)s points") % {
        "number": _times(condition.at_least, condition.at_most, words)
    }


def _tier(condition: InTier, words: Words) -> str:
    return words._("are in the tier %(what)s") % {"what": words.named("tiers", condition.tiers)}


def _tagged(condition: Tagged, words: Words) -> str:
    return words._("have the tag %(what)s") % {"what": words.named("tags", condition.tags)}


def _consented(condition: Consented, words: Words) -> str:
    purpose = words.named("purposes", [condition.purpose])
    text = (
        words._("have agreed to %(what)s")
        if condition.answer == "granted"
        else words._("have said no to %(what)s")
    )
    return _joined(
        text % {"what": purpose}, _where([condition.channel] if condition.channel else None, words)
    )


def _cart(condition: OpenCart, words: Words) -> str:
    _ = words._
    worth = ""
    if condition.at_least:
        worth = _("worth at least %(number)s") % {
            "number": words.money(condition.at_least, condition.currency)
        }
    idle = ""
    if condition.idle_hours:
        idle = _("that nobody has touched for %(number)s hours") % {
            "number": words.number(condition.idle_hours)
        }
    return _joined(_("have a cart with goods"), worth, idle)


def _wanted(condition: Wanted, words: Words) -> str:
    _ = words._
    where = {
        "anywhere": _("have goods on a list or in the cart"),
        "wish": _("have goods on a wish list"),
        "saved": _("have goods saved for later"),
        "cart": _("have goods in the cart"),
    }[condition.on]
    if condition.stock == "sold_out":
        state = _("that are sold out now")
    elif condition.at_most is None:
        state = _("that are in stock now")
    else:
        state = _("of which at most %(number)s are in stock now") % {
            "number": words.number(condition.at_most)
        }
    return _joined(where, _goods(condition.goods, words), state)


def _subscribed(condition: Subscribed, words: Words) -> str:
    _ = words._
    states = words.either([_(names.state[each]).lower() for each in condition.states])
    plans = (
        _("of the plan %(what)s") % {"what": words.named("plans", condition.plans)} if condition.plans else ""
    )
    return _joined(_("have a subscription that is %(state)s") % {"state": states}, plans)


def _rfm(condition: InRfm, words: Words) -> str:
    _ = words._
    parts = []
    if condition.groups:
        shown = words.either([f"“{_(names.group.get(each, each))}”" for each in condition.groups])
        parts.append(_("are in the RFM group %(what)s") % {"what": shown})
    for text, scores in (
        (_("have a recency score of %(what)s"), condition.recency),
        (_("have a frequency score of %(what)s"), condition.frequency),
        (_("have a money score of %(what)s"), condition.monetary),
    ):
        if scores:
            parts.append(text % {"what": words.either([str(each) for each in scores])})
    return _chained(parts, _("%(one)s, and who %(other)s"))


def _chained(parts: Sequence[str], glue: str) -> str:
    """One after the other by a text that has a place for what came before and for the next."""
    return reduce(lambda one, other: glue % {"one": one, "other": other}, parts)


def _segment(condition: InSegment, words: Words) -> str:
    return words._("are in the segment %(what)s") % {"what": words.named("segments", [condition.segment])}


def _listed(_condition: Listed, words: Words) -> str:
    return words._("are on the list")


def _other(condition: Other, words: Words) -> str:
    return words._("fit the condition “%(name)s”") % {"name": condition.name}


_LEAVES: Mapping[type, Callable[[Any, Words], str]] = {
    HasOrders: _orders,
    OrderDate: _order_date,
    HasReturns: _returns,
    UsedPromotion: _promotion,
    Trait: _trait,
    CustomerSince: _since,
    Tracked: _tracked,
    HasPoints: _points,
    InTier: _tier,
    Tagged: _tagged,
    Consented: _consented,
    OpenCart: _cart,
    Wanted: _wanted,
    Subscribed: _subscribed,
    InRfm: _rfm,
    InSegment: _segment,
    Listed: _listed,
    Other: _other,
}
