"""Decisions about pages, menus and languages. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.channels import Channel
from samlad.content.model import (
    LANGUAGES,
    Block,
    Categories,
    Document,
    Hero,
    Link,
    Newsletter,
    PictureText,
    Prose,
    Recommend,
    Shelf,
    Stores,
    Text,
    Version,
    Words,
)
from samlad.kernel.problems import FieldError, InvalidInput


def said(words: Words | Prose, language: str, otherwise: str = "en") -> str:
    """A text in a language; else in the channel's own (``otherwise``), else in the first that has one."""
    order = dict.fromkeys((language, otherwise, *LANGUAGES))
    return next((text for name in order if (text := getattr(words, name, "").strip())), "")


def line_of(channel: Channel, known: Mapping[UUID, Channel]) -> list[UUID]:
    """A channel and those that it inherits from, the nearest first."""
    line, each = [channel.id], channel.parent
    while each is not None and each not in line:
        line.append(each)
        each = known[each].parent if each in known else None
    return line


def below(channel: UUID, known: Iterable[Channel]) -> list[Channel]:
    """The channels that inherit from one, at any depth."""
    everything = {each.id: each for each in known}
    return [
        each for each in everything.values() if each.id != channel and channel in line_of(each, everything)
    ]


# -- versions --------------------------------------------------------------------------------------------------------------


def shown(versions: Iterable[Version], at: datetime) -> Version | None:
    """The version that is shown at a moment.

    Of those that hold: one with an end goes before one without, so that Christmas goes before every day; then the one
    that began last, then the one that was published last. `samlad.content.store.live` says the same in SQL.
    """
    holding = [each for each in versions if holds(each, at)]
    return max(
        holding,
        key=lambda each: (each.shown_until is not None, each.shown_from or each.published_at, each.number),
        default=None,
    )


def holds(version: Version, at: datetime) -> bool:
    """Whether a version may be shown at a moment."""
    return (
        version.withdrawn_at is None
        and (version.shown_from is None or version.shown_from <= at)
        and (version.shown_until is None or at < version.shown_until)
    )


# -- documents -------------------------------------------------------------------------------------------------------------


def check_document(document: Document) -> None:
    """Refuse what no page can be made of: two blocks of one id, a button that leads nowhere, a shelf of nothing.

    A draft may be unfinished; this is asked when it is published.

    Raises:
        InvalidInput: with one error for each fault.
    """
    errors: list[FieldError] = []
    for place, block in enumerate(document.blocks):
        at = f"blocks/{place}"
        if isinstance(block, Hero | PictureText) and bool(said(block.button, "en")) != bool(block.href):
            lacking = "button" if block.href else "href"
            errors.append(FieldError(f"{at}/{lacking}", "a button needs both a text and an address"))
        if isinstance(block, Hero | PictureText | Text) and not _says_something(block):
            errors.append(FieldError(f"{at}/text", "write something, or remove this block"))
        if isinstance(block, Shelf) and not block.goods:
            errors.append(FieldError(f"{at}/goods", f"which {block.source}?"))
    if errors:
        raise InvalidInput("The page is not finished.", errors=tuple(errors))


def check_ids(document: Document) -> None:
    """Refuse two blocks of one id.

    Raises:
        InvalidInput: at the second of them.
    """
    ids = [block.id for block in document.blocks]
    errors = tuple(
        FieldError(f"blocks/{place}/id", f"“{each}” is there twice")
        for place, each in enumerate(ids)
        if each in ids[:place]
    )
    if errors:
        raise InvalidInput("Each block needs an id of its own.", errors=errors)


def _says_something(block: Hero | PictureText | Text) -> bool:
    if isinstance(block, Text):
        return bool(said(block.text, "en"))
    return bool(said(block.title, "en") or said(block.text, "en") or block.picture)


def moved(blocks: Sequence[Block], block_id: str, by: int) -> list[Block]:
    """The blocks with one of them so many places further down (negative: up); at the ends it stays."""
    order = list(blocks)
    place = next((n for n, block in enumerate(order) if block.id == block_id), None)
    if place is not None:
        block = order.pop(place)
        order.insert(min(max(place + by, 0), len(order)), block)
    return order


def without(blocks: Sequence[Block], block_id: str) -> list[Block]:
    """The blocks without one of them."""
    return [block for block in blocks if block.id != block_id]


def pictures_of(document: Document) -> set[str]:
    """Keys of the pictures that a page shows."""
    return {
        block.picture for block in document.blocks if isinstance(block, Hero | PictureText) and block.picture
    }


def start_document() -> Document:
    """What an editor of a start page begins with: the page that a shop has without one."""
    blocks: list[Block] = [
        Hero(
            id="hero",
            title=Words(
                en="Find something you will keep",
                sv="Hitta något du behåller",
                nl="Vind iets dat je blijft gebruiken",
            ),
            text=Prose(
                en="Order here and have it sent, or pick it up in a store.",
                sv="Beställ här och få det skickat, eller hämta i en butik.",
                nl="Bestel hier en laat het bezorgen, of haal het op in een winkel.",
            ),
            button=Words(en="See what is new", sv="Se nyheterna", nl="Bekijk wat nieuw is"),
            href="/search?sort=newest",
        ),
        Categories(
            id="categories",
            title=Words(en="Shop by category", sv="Handla efter kategori", nl="Winkel per categorie"),
        ),
        Recommend(id="new", title=Words(en="New here", sv="Nytt här", nl="Nieuw hier")),
        Stores(id="stores", title=Words(en="Our stores", sv="Våra butiker", nl="Onze winkels")),
        Newsletter(
            id="letter",
            title=Words(en="News by e-mail", sv="Nyheter via e-post", nl="Nieuws per e-mail"),
        ),
    ]
    return Document(blocks=blocks)


# -- menus -----------------------------------------------------------------------------------------------------------------


class Column(msgspec.Struct, frozen=True):
    """A column of the footer."""

    title: str
    links: list[tuple[str, str]]


def columns(items: Sequence[Link], language: str, otherwise: str) -> list[Column]:
    """A footer's entries as columns: each entry without an address begins one."""
    found: list[Column] = []
    for item in items:
        text = said(item.text, language, otherwise)
        if not item.href:
            found.append(Column(text, []))
        else:
            if not found:
                found.append(Column("", []))
            found[-1].links.append((text, item.href))
    return [column for column in found if column.links]
