"""What search engines read of a product: JSON-LD by schema.org."""

from typing import Any

import msgspec
from markupsafe import Markup

from samlad.catalog import Sellable
from samlad.kernel.money import decimal_text

_BREAKS_OUT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def block(document: dict[str, Any]) -> Markup:
    """A JSON-LD element. It is data, which the Content-Security-Policy lets stand; nothing in it can end the element."""
    text = msgspec.json.encode(document).decode()
    for sign, escape in _BREAKS_OUT.items():
        text = text.replace(sign, escape)
    return Markup('<script type="application/ld+json">') + Markup(text) + Markup("</script>")  # noqa: S704 - escaped above


def product(
    *,
    title: str,
    description: str,
    brand: str | None,
    pictures: list[str],
    address: str,
    offers: list[tuple[Sellable, str | None, bool]],
) -> dict[str, Any]:
    """A product with its offers: (variant as it is sold, GTIN, whether it can be promised)."""
    sold = [(s, gtin, there) for s, gtin, there in offers if s.price is not None]
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": title,
        "url": address,
        "offers": [_offer(sellable, there, address) for sellable, _, there in sold],
    }
    if len(sold) == 1:
        document["sku"] = sold[0][0].sku
        if sold[0][1]:
            document["gtin"] = sold[0][1]
    optional = {
        "description": description[:5000],
        "image": pictures,
        "brand": {"@type": "Brand", "name": brand} if brand else None,
    }
    return document | {name: value for name, value in optional.items() if value}


def _offer(sellable: Sellable, is_there: bool, address: str) -> dict[str, Any]:
    state = "InStock" if is_there else "OutOfStock"
    assert sellable.price is not None
    return {
        "@type": "Offer",
        "sku": sellable.sku,
        "url": address,
        "price": decimal_text(sellable.price, sellable.currency),
        "priceCurrency": sellable.currency,
        "availability": f"https://schema.org/{state}",
        "itemCondition": "https://schema.org/NewCondition",
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
