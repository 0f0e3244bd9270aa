"""The form of a promotion: what a person typed into terms and limits, and back. Pure but for looking up names."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog
from samlad.catalog import categories, collections
from samlad.channels import Channel, Resource
from samlad.faces.form import Form
from samlad.kernel.database import Database
from samlad.kernel.i18n import marked
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import FieldError, InvalidInput, NotFound
from samlad.promotions.model import Promotion
from samlad.promotions.rules import WHOLE
from samlad.promotions.terms import Bundle, BuyGet, Effect, Gift, Goods, Terms, Tiers

TIERS, PARTS = 5, 4
"""Rows of tiers and of parts of a bundle that the form has."""
KINDS = {
    "percent": marked("Percentage off"),
    "amount": marked("Amount off"),
    "fixed_price": marked("Fixed price"),
    "buy_get": marked("Buy some, get some"),
    "tiers": marked("The more, the more off"),
    "bundle": marked("Bundle price"),
    "free_shipping": marked("Free shipping"),
    "gift": marked("Gift"),
}
COMBINATIONS = {
    "all": marked("with every other offer that allows it"),
    "line": marked("not twice on the same article"),
    "none": marked("alone in a cart"),
}
UNKNOWN = marked("Not in the catalogue: %(names)s.")
WHOLE_BUNDLE = marked("Name the articles of at least one part.")
A_PERCENTAGE = marked("A percentage is from 0.01 to 100, with at most two decimals.")
WHOLE_TIERS = marked("Fill in at least one row, each with a percentage or an amount.")


def words_of(text: str | None) -> list[str]:
    """What is written with commas or line breaks between."""
    return list(dict.fromkeys(part.strip() for part in re.split(r"[,;\n]", text or "") if part.strip()))


def can_show(terms: Terms) -> bool:
    """Whether the form can show and write these terms; others are made and changed by the API."""
    effect = terms.effect
    chosen: list[Goods] = []
    if isinstance(effect, Bundle):
        if len(effect.parts) > PARTS:
            return False
        chosen = [part.goods for part in effect.parts]
    elif isinstance(effect, BuyGet) and effect.get_goods is not None:
        chosen = [effect.get_goods]
    elif isinstance(effect, Tiers):
        return len(effect.tiers) <= TIERS
    return all(goods == Goods(variants=goods.variants) for goods in chosen)


class Reader:
    """Reads the form, collecting every fault at its field."""

    def __init__(self, database: Database, channel: Channel, form: Form, currency: str) -> None:
        self.database, self.form, self.currency = database, form, currency
        self.pool = channel.pools[Resource.CATALOGUE]
        self.faults: list[FieldError] = []

    def whole(self, name: str) -> int | None:
        """A whole number."""
        return self._try(self.form.whole, name)

    def amount(self, name: str) -> int | None:
        """Minor units of the promotion's currency."""
        return self._try(lambda field: self.form.amount(field, self.currency), name)

    def percent(self, name: str) -> int | None:
        """Basis points of a percentage with up to two decimals. What is none is told as one: the form knows amounts only."""
        try:
            found = self.form.amount(name, "EUR")
        except InvalidInput:
            found = 0
        if found is not None and not 1 <= found <= WHOLE:
            self.faults.append(FieldError(name, self.form.translate(A_PERCENTAGE)))
            return None
        return found

    def _try(self, read: Any, name: str) -> int | None:
        try:
            found: int | None = read(name)
            return found
        except InvalidInput as problem:
            self.faults += problem.errors
            return None

    def needed(self, name: str, value: int | None) -> int:
        """A value that there must be."""
        if value is None and not any(fault.field == name for fault in self.faults):
            self.faults.append(FieldError(name, self.form.translate("Please fill this in.")))
        return value or 0

    def unknown(self, name: str, missing: list[str]) -> None:
        """Say that names are not known."""
        if missing:
            text = self.form.translate(UNKNOWN) % {"names": ", ".join(missing[:5])}
            self.faults.append(FieldError(name, text))

    async def variants(self, name: str, text: str | None = None) -> list[UUID]:
        """Variants by SKU."""
        skus = words_of(self.form.get(name) if text is None else text)
        found = await catalog.by_skus(self.database, self.pool, skus) if skus else {}
        self.unknown(name, [sku for sku in skus if sku not in found])
        return [found[sku].id for sku in skus if sku in found]

    async def goods(self) -> dict[str, Any]:
        """The goods that the promotion is for."""
        paths, handles = words_of(self.form.get("categories")), words_of(self.form.get("collections"))
        known = (
            {each.path: each.id for each in await categories.tree(self.database, self.pool)} if paths else {}
        )
        self.unknown("categories", [path for path in paths if path not in known])
        chosen, missing = [], []
        for handle in handles:
            try:
                chosen.append((await collections.by_handle(self.database, self.pool, handle)).id)
            except NotFound:
                missing.append(handle)
        self.unknown("collections", missing)
        return {
            "products": words_of(self.form.get("products")),
            "variants": await self.variants("skus"),
            "categories": [known[path] for path in paths if path in known],
            "collections": chosen,
            "brands": words_of(self.form.get("brands")),
        }

    async def terms(self, kind: str) -> dict[str, Any]:
        """The terms, as the API takes them.

        Raises:
            InvalidInput: with all faults.
        """
        effect = {"kind": kind} | await self._effect(kind)
        terms = {
            "effect": {name: value for name, value in effect.items() if value is not None},
            "goods": await self.goods(),
            "minimum_amount": self.amount("minimum_amount") or 0,
            "minimum_quantity": self.whole("minimum_quantity") or 0,
        }
        if self.faults:
            raise InvalidInput("", errors=tuple(self.faults))
        built: dict[str, Any] = msgspec.to_builtins(terms)
        return built

    async def _effect(self, kind: str) -> dict[str, Any]:
        match kind:
            case "percent":
                return {"percent": self.needed("percent", self.percent("percent"))}
            case "amount":
                amount = self.needed("amount", self.amount("amount"))
                return {"amount": amount, "each": self.form.has("each")}
            case "fixed_price":
                return {"price": self.needed("price", self.amount("price"))}
            case "buy_get":
                return await self._buy_get()
            case "tiers":
                return self._tiers()
            case "bundle":
                return await self._bundle()
            case "free_shipping":
                return {"at_most": self.amount("at_most")}
        found = await self.variants("gift")
        if not found:
            self.needed("gift", None)
        return {"variant": found[0] if found else None, "quantity": self.whole("gift_quantity") or 1}

    async def _buy_get(self) -> dict[str, Any]:
        given = await self.variants("get_skus")
        return {
            "buy": self.needed("buy", self.whole("buy")),
            "get": self.needed("get", self.whole("get")),
            "percent": self.percent("get_percent") or 10_000,
            "get_goods": {"variants": given} if given else None,
            "times": self.whole("times"),
        }

    def _tiers(self) -> dict[str, Any]:
        by_quantity = self.form.get("tiers_by") == "quantity"
        rows = []
        for row in range(TIERS):
            read = self.whole if by_quantity else self.amount
            at_least, percent = read(f"tier-{row}"), self.percent(f"tier-{row}-percent")
            amount = self.amount(f"tier-{row}-amount")
            if at_least is not None:
                tier = {"at_least": at_least, "percent": percent, "amount": amount}
                rows.append({name: value for name, value in tier.items() if value is not None})
        if not rows or any(len(row) != 2 for row in rows):
            self.faults.append(FieldError("tier-0", self.form.translate(WHOLE_TIERS)))
        return {"by_quantity": by_quantity, "tiers": rows}

    async def _bundle(self) -> dict[str, Any]:
        parts = []
        for row in range(PARTS):
            found = await self.variants(f"part-{row}")
            if found:
                parts.append(
                    {"goods": {"variants": found}, "quantity": self.whole(f"part-{row}-quantity") or 1}
                )
        if not parts:
            self.faults.append(FieldError("part-0", self.form.translate(WHOLE_BUNDLE)))
        return {
            "parts": parts,
            "price": self.needed("price", self.amount("price")),
            "times": self.whole("times"),
        }


async def filled(database: Database, promotion: Promotion, currency: str) -> dict[str, Any]:
    """The fields of the form for a promotion as it is."""
    terms, effect = promotion.terms, promotion.terms.effect

    ids = [each for goods in terms.all_goods for each in goods.variants]
    if isinstance(effect, Gift):
        ids.append(effect.variant)
    skus = {each.id: each.sku for each in (await catalog.by_ids(database, ids)).values()} if ids else {}

    def named(goods: Goods) -> str:
        return ", ".join(skus.get(each, str(each)) for each in goods.variants)

    paths = [(await categories.get(database, each)).path for each in terms.goods.categories]
    handles = [(await collections.get(database, each)).handle for each in terms.goods.collections]
    values: dict[str, Any] = {
        "products": ", ".join(str(each) for each in terms.goods.products),
        "skus": named(terms.goods),
        "categories": ", ".join(paths),
        "collections": ", ".join(handles),
        "brands": ", ".join(terms.goods.brands),
        "minimum_amount": decimal_text(terms.minimum_amount, currency) if terms.minimum_amount else None,
        "minimum_quantity": terms.minimum_quantity or None,
    }
    if isinstance(effect, Gift):
        values |= {"gift": skus.get(effect.variant), "gift_quantity": effect.quantity}
    return values | _effect_fields(effect, currency, named)


def _effect_fields(effect: Effect, currency: str, named: Callable[[Goods], str]) -> dict[str, Any]:
    """The fields of what it gives."""
    values: dict[str, Any] = {name: getattr(effect, name, None) for name in ("buy", "get", "times", "each")}
    for name in ("amount", "price", "at_most"):
        if getattr(effect, name, None) is not None:
            values[name] = decimal_text(getattr(effect, name), currency)
    if isinstance(effect, BuyGet):
        values["get_percent"] = decimal_text(effect.percent, "EUR")
        values["get_skus"] = named(effect.get_goods) if effect.get_goods else None
    elif hasattr(effect, "percent"):
        values["percent"] = decimal_text(effect.percent, "EUR")
    if isinstance(effect, Tiers):
        values["tiers_by"] = "quantity" if effect.by_quantity else "amount"
        for row, tier in enumerate(effect.tiers[:TIERS]):
            at_least = tier.at_least if effect.by_quantity else decimal_text(tier.at_least, currency)
            values[f"tier-{row}"] = at_least
            values[f"tier-{row}-percent"] = decimal_text(tier.percent, "EUR") if tier.percent else None
            values[f"tier-{row}-amount"] = decimal_text(tier.amount, currency) if tier.amount else None
    if isinstance(effect, Bundle):
        for row, part in enumerate(effect.parts[:PARTS]):
            values |= {f"part-{row}": named(part.goods), f"part-{row}-quantity": part.quantity}
    return values
