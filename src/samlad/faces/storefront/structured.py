"""What search engines read of a product: JSON-LD by schema.org."""

from collections.abc import Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from samlad.catalog import Sellable
from samlad.kernel.money import decimal_text
from samlad.questions import ShownAnswer, ShownQuestion
from samlad.reviews import ShownReview, Totals

_BREAKS_OUT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def block(document: dict[str, Any]) -> Markup:
    """A JSON-LD element. It is data, which the Content-Security-Policy lets stand; nothing in it can end the element."""
    text = msgspec.json.encode(document).decode()
    for sign, escape in _BREAKS_OUT.items():
        text = text.replace(sign, escape)
    return Markup('<script type="application/ld+json">') + Markup(text) + Markup("</script>")  # noqa: S704 - escaped above


class Offer(msgspec.Struct, frozen=True):
    """A variant as it is sold, its GTIN, whether it can be promised, and its address."""

    sellable: Sellable
    gtin: str | None
    is_there: bool
    address: str


def product(
    *,
    title: str,
    description: str,
    brand: str | None,
    pictures: list[str],
    address: str,
    offers: Sequence[Offer],
    shipping: tuple[int, str] | None = None,
    rating: Totals | None = None,
    reviews: Sequence[ShownReview] = (),
) -> dict[str, Any]:
    """A product with its offers. ``shipping``: what it costs to have it sent (minor units), and to which country."""
    sold = [offer for offer in offers if offer.sellable.price is not None]
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": title,
        "url": address,
        "offers": [_offer(offer, shipping) for offer in sold],
    }
    if len(sold) == 1:
        document["sku"] = sold[0].sellable.sku
        if sold[0].gtin:
            document["gtin"] = sold[0].gtin
    optional = {
        "description": description[:5000],
        "image": pictures,
        "brand": {"@type": "Brand", "name": brand} if brand else None,
        "aggregateRating": _rating(rating) if rating and rating.count else None,
        "review": [_review(each) for each in reviews if each.author],
    }
    return document | {name: value for name, value in optional.items() if value}


def _offer(offer: Offer, shipping: tuple[int, str] | None) -> dict[str, Any]:
    state, sellable = "InStock" if offer.is_there else "OutOfStock", offer.sellable
    assert sellable.price is not None
    told: dict[str, Any] = {
        "@type": "Offer",
        "sku": sellable.sku,
        "url": offer.address,
        "price": decimal_text(sellable.price, sellable.currency),
        "priceCurrency": sellable.currency,
        "availability": f"https://schema.org/{state}",
        "itemCondition": "https://schema.org/NewCondition",
    }
    if sellable.price_until is not None:
        told["priceValidUntil"] = sellable.price_until.date().isoformat()
    if shipping is not None and sellable.requires_shipping:
        told["shippingDetails"] = _shipping(*shipping, sellable.currency)
    return told


def _shipping(cost: int, country: str, currency: str) -> dict[str, Any]:
    rate = {"@type": "MonetaryAmount", "value": decimal_text(cost, currency), "currency": currency}
    region = {"@type": "DefinedRegion", "addressCountry": country}
    return {"@type": "OfferShippingDetails", "shippingRate": rate, "shippingDestination": region}


def _rating(found: Totals) -> dict[str, Any]:
    return {
        "@type": "AggregateRating",
        "ratingValue": f"{found.average / 100:.2f}",
        "reviewCount": found.count,
        "bestRating": 5,
        "worstRating": 1,
    }


def _review(found: ShownReview) -> dict[str, Any]:
    told = {
        "@type": "Review",
        "reviewRating": {"@type": "Rating", "ratingValue": found.stars, "bestRating": 5, "worstRating": 1},
        "author": {"@type": "Person", "name": found.author},
        "datePublished": found.written_at.date().isoformat(),
        "name": found.title,
        "reviewBody": found.text[:1000],
    }
    return {name: value for name, value in told.items() if value}


def question(
    found: ShownQuestion, answers: Sequence[ShownAnswer], *, address: str, shop: str, asker: str
) -> dict[str, Any]:
    """The page of one question, as Google reads it: a QAPage has one question, which readers can answer.

    The shop's answer is the accepted one. ``asker`` is what somebody without a name is called. There is at least one answer:
    https://developers.google.com/search/docs/appearance/structured-data/qapage
    """
    told: dict[str, list[dict[str, Any]]] = {"buyer": [], "shop": []}
    for each in answers:
        told[each.kind].append(_answer(each, address=address, shop=shop, asker=asker))
    entity: dict[str, Any] = {
        "@type": "Question",
        "name": " ".join(found.text.split())[:200],
        "text": found.text,
        "inLanguage": found.language,
        "answerCount": found.answers,
        "author": {"@type": "Person", "name": found.author or asker},
        "datePublished": found.asked_at.isoformat(timespec="seconds"),
        "acceptedAnswer": told["shop"][0] if told["shop"] else None,
        "suggestedAnswer": told["buyer"],
    }
    entity = {name: value for name, value in entity.items() if value}
    return {"@context": "https://schema.org", "@type": "QAPage", "mainEntity": entity}


def _answer(found: ShownAnswer, *, address: str, shop: str, asker: str) -> dict[str, Any]:
    is_shop = found.kind == "shop"
    return {
        "@type": "Answer",
        "text": found.text,
        "inLanguage": found.language,
        "upvoteCount": found.helpful,
        "url": f"{address}#answer-{found.id}",
        "datePublished": found.written_at.isoformat(timespec="seconds"),
        "author": {
            "@type": "Organization" if is_shop else "Person",
            "name": shop if is_shop else found.author or asker,
        },
    }


def breadcrumbs(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The way to a page: (name, absolute address), the page itself last."""
    items = [
        {"@type": "ListItem", "position": place, "name": name, "item": address}
        for place, (name, address) in enumerate(pairs, 1)
    ]
    return {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items}


def organization(name: str, root: str, logo: str, email: str | None) -> dict[str, Any]:
    """Who sells here."""
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "OnlineStore",
        "@id": f"{root}/#organization",
        "name": name,
        "url": f"{root}/",
        "logo": logo,
    }
    return document | ({"email": email} if email else {})


def website(name: str, root: str) -> dict[str, Any]:
    """The shop as a site that can be searched."""
    return {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "@id": f"{root}/#website",
        "name": name,
        "url": f"{root}/",
        "publisher": {"@id": f"{root}/#organization"},
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": f"{root}/search?q={{search_term_string}}"},
            "query-input": "required name=search_term_string",
        },
    }
