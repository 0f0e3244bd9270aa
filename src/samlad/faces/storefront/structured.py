"""What search engines read of a product: JSON-LD by schema.org."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from markupsafe import Markup

from samlad.catalog import Sellable
from samlad.faces.storefront.feed_forms import ALSO
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


VARYING = ("color", "size", "material", "pattern")
"""Properties of schema.org by which variants differ, as Google reads them; other options are properties with a name."""


class Offer(msgspec.Struct, frozen=True):
    """A variant as it is sold, its GTIN, whether it can be promised, and its address.

    ``options`` are its values by the option's name, ``picture`` is the address of one of its own.
    """

    sellable: Sellable
    gtin: str | None
    is_there: bool
    address: str
    options: Mapping[str, str] = {}
    picture: str | None = None


def product(
    *,
    title: str,
    group: str,
    description: str,
    brand: str | None,
    pictures: list[str],
    address: str,
    offers: Sequence[Offer],
    shipping: tuple[int, str] | None = None,
    rating: Totals | None = None,
    reviews: Sequence[ShownReview] = (),
) -> dict[str, Any]:
    """A product with its offer; one with variants is a group of them, which all have the page's address.

    ``group`` is its id in feeds. ``shipping``: what it costs to have it sent (minor units), and to which country.
    https://developers.google.com/search/docs/appearance/structured-data/product-variants
    """
    sold = [offer for offer in offers if offer.sellable.price is not None]
    document: dict[str, Any] = {"@context": "https://schema.org", "name": title, "url": address}
    if len(sold) > 1:
        document |= {"@type": "ProductGroup", "productGroupID": group, **_variants(title, sold, shipping)}
    else:
        document |= {"@type": "Product", "offers": [_offer(offer, shipping) for offer in sold]}
        document |= _codes(sold[0]) if sold else {}
    optional = {
        "description": description[:5000],
        "image": pictures,
        "brand": {"@type": "Brand", "name": brand} if brand else None,
        "aggregateRating": _rating(rating) if rating and rating.count else None,
        "review": [_review(each) for each in reviews if each.author],
    }
    return document | {name: value for name, value in optional.items() if value}


def _codes(offer: Offer) -> dict[str, str]:
    return {"sku": offer.sellable.sku} | ({"gtin": offer.gtin} if offer.gtin else {})


def _variants(title: str, sold: Sequence[Offer], shipping: tuple[int, str] | None) -> dict[str, Any]:
    names = dict.fromkeys(name for offer in sold for name in offer.options)
    known = {name: found for name in names if (found := ALSO.get(name.lower(), name.lower())) in VARYING}
    shown = []
    for offer in sold:
        values = {known[name]: value for name, value in offer.options.items() if name in known}
        others = [
            {"@type": "PropertyValue", "name": name, "value": value}
            for name, value in offer.options.items()
            if name not in known
        ]
        shown.append(
            {
                "@type": "Product",
                "name": f"{title}, {offer.sellable.options}" if offer.sellable.options else title,
                **_codes(offer),
                **values,
                **({"additionalProperty": others} if others else {}),
                **({"image": offer.picture} if offer.picture else {}),
                "offers": _offer(offer, shipping),
            }
        )
    varies = [f"https://schema.org/{each}" for each in dict.fromkeys(known.values())]
    return ({"variesBy": varies} if varies else {}) | {"hasVariant": shown}


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


def organization(
    name: str, root: str, logo: str, email: str | None, returns: tuple[str, int] | None = None
) -> dict[str, Any]:
    """Who sells here. ``returns``: in which country goods come back, within how many days."""
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "OnlineStore",
        "@id": f"{root}/#organization",
        "name": name,
        "url": f"{root}/",
        "logo": logo,
    }
    if returns is not None:
        country, days = returns
        document["hasMerchantReturnPolicy"] = {
            "@type": "MerchantReturnPolicy",
            "applicableCountry": country,
            "returnPolicyCountry": country,
            "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
            "merchantReturnDays": days,
        }
    return document | ({"email": email} if email else {})


def store(
    *,
    name: str,
    root: str,
    place: str,
    address: Mapping[str, Any],
    country: str | None,
    at: tuple[float | None, float | None],
    hours: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """A store: where it is (``at``: latitude and longitude), and when it is open. ``place`` is its code."""
    street = " ".join(
        str(address.get("lines") or address.get("line1") or address.get("street") or "").split()
    )
    known = {
        "streetAddress": street,
        "postalCode": address.get("postal_code"),
        "addressLocality": address.get("city"),
        "addressRegion": address.get("region"),
        "addressCountry": address.get("country") or country,
    }
    latitude, longitude = at
    optional = {
        "telephone": address.get("phone"),
        "geo": None
        if latitude is None or longitude is None
        else {"@type": "GeoCoordinates", "latitude": latitude, "longitude": longitude},
        "openingHoursSpecification": hours,
    }
    return {
        "@context": "https://schema.org",
        "@type": "Store",
        "@id": f"{root}/stores#{quote(place)}",
        "name": name,
        "url": f"{root}/stores",
        "parentOrganization": {"@id": f"{root}/#organization"},
        "address": {"@type": "PostalAddress"} | {key: value for key, value in known.items() if value},
        **{key: value for key, value in optional.items() if value},
    }


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
