"""Brands and menus of this process: read with every page of the shop (`samlad.kernel.snapshots`)."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from samlad import channels
from samlad.channels import Channel
from samlad.content import rules, store, theme
from samlad.content.brand_model import Brand
from samlad.content.model import Link, MenuPlace, Picture
from samlad.kernel.database import Database, Tx
from samlad.kernel.snapshots import Kept


class Look(msgspec.Struct, frozen=True):
    """How a channel looks: its brand as it holds, its style sheet with its fingerprint, its pictures and menus.

    ``line``: itself and those that it inherits from. ``printed``: its logo as documents carry it, a ``data:`` URL.
    ``menus`` has only those that somebody set.
    """

    line: list[UUID]
    brand: Brand
    sheet: str
    version: str
    pictures: dict[str, Picture]
    printed: str
    menus: dict[MenuPlace, list[Link]]


async def look_of(reader: Database | Tx, channel: Channel) -> Look:
    """How a channel looks, at most `MAX_AGE_SECONDS` old."""
    looks = await KEPT.current(reader)
    if channel.id not in looks:  # it was opened a moment ago
        forget()
        looks = await KEPT.current(reader)
    return looks.get(channel.id) or _look(channel, {channel.id: channel}, {}, {}, {}, {})


async def _load(reader: Database | Tx) -> dict[UUID, Look]:
    known = {channel.id: channel for channel in await channels.all_channels(reader)}
    own = {kit.channel: kit.own for kit in await store.kits(reader)}
    menus = {(menu.channel, menu.place): menu.items for menu in await store.menus(reader) if menu.items}
    keys = {
        key for brand in own.values() for key in (brand.logo, brand.logo_dark, brand.icon, brand.share) if key
    }
    pictures = await store.pictures(reader, sorted(keys)) if keys else {}
    printed = await store.printed(reader, sorted(keys)) if keys else {}
    return {channel.id: _look(channel, known, own, menus, pictures, printed) for channel in known.values()}


KEPT = Kept(_load, store.fingerprint)
forget = KEPT.forget


def _look(
    channel: Channel,
    known: Mapping[UUID, Channel],
    own: Mapping[UUID, Brand],
    menus: Mapping[tuple[UUID, MenuPlace], list[Link]],
    pictures: Mapping[str, Picture],
    printed: Mapping[str, str],
) -> Look:
    line = rules.line_of(channel, known)
    brand = theme.inherit([own[each] for each in line if each in own])
    sheet = theme.style_sheet(brand)
    mine = {key for key in (brand.logo, brand.logo_dark, brand.icon, brand.share) if key}
    found = {
        place: next((menus[each, place] for each in line if (each, place) in menus), [])
        for place in MenuPlace
    }
    return Look(
        line=line,
        brand=brand,
        sheet=sheet,
        version=theme.fingerprint(sheet),
        pictures={key: pictures[key] for key in mine if key in pictures},
        printed=printed.get(brand.logo or "", ""),
        menus={place: items for place, items in found.items() if items},
    )


async def printed_logo(reader: Database | Tx, channel: Channel) -> str:
    """The logo of a channel's brand as receipts and documents carry it: a ``data:`` URL; empty without one."""
    return (await look_of(reader, channel)).printed
