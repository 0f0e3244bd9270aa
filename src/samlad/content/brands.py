"""The verbs of brands and menus."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from samlad import channels
from samlad.access import audit
from samlad.channels import Channel
from samlad.content import rules, setup, store, theme
from samlad.content.brand_model import Brand, Finding, Kit
from samlad.content.events import BrandChanged, MenuChanged
from samlad.content.model import Link, Menu, MenuPlace
from samlad.content.permissions import PUBLISH
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import FieldError, InvalidInput, Outdated


async def kit_of(reader: Reader, code: str) -> Kit:
    """The brand kit of a channel: what it sets, and what holds.

    Raises:
        NotFound: there is no such channel.
    """
    channel = await channels.by_code(reader, code)
    known = {each.id: each for each in await channels.all_channels(reader)}
    own = {each.channel: each for each in await store.kits(reader)}
    mine = own.get(channel.id)
    line = rules.line_of(channel, known)
    return Kit(
        channel=channel.id,
        own=mine.own if mine else Brand(),
        brand=theme.inherit([own[each].own for each in line if each in own]),
        version=mine.version if mine else 0,
        updated_at=mine.updated_at if mine else None,
    )


async def set_kit(tx: Tx, code: str, own: Brand, *, version: int | None = None) -> Kit:
    """Set the brand kit of a channel, all of it anew; those below it inherit what they do not set.

    Raises:
        NotFound: no such channel. Outdated: somebody changed the kit since ``version`` (0: there was none).
        InvalidInput: text that could not be read, here or in a channel below, with the nearest colour that could; a
            picture that is not stored.
    """
    tx.actor.require(PUBLISH)
    old = await kit_of(tx, code)
    check_version(version, old.version)
    if own == old.own:
        return old
    await _check_pictures(tx, own)
    await _check_colours(tx, await channels.get(tx, old.channel), own)
    if not await store.put_kit(tx, old.channel, own, old.version):
        raise Outdated("Somebody else changed this brand kit at the same moment.")
    before, after = _different(old.own, own)
    log.append(tx, BrandChanged(before=before, after=after), subject=old.channel, channel=old.channel)
    audit.record(tx, "brand.changed", "channel", old.channel, before=before, after=after)
    tx.after_commit(setup.forget)
    return await kit_of(tx, code)


def _different(old: Brand, new: Brand) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name in Brand.__struct_fields__ if getattr(old, name) != getattr(new, name)]
    return (
        {name: store.document(getattr(old, name)) for name in names},
        {name: store.document(getattr(new, name)) for name in names},
    )


async def _check_pictures(tx: Tx, own: Brand) -> None:
    wanted = {name: getattr(own, name) for name in ("logo", "logo_dark", "icon", "share")}
    keys = [key for key in (*wanted.values(), *(own.pictures or ())) if key]
    known = await store.pictures(tx, keys) if keys else {}
    errors = [
        FieldError(name, "there is no such picture; upload it first")
        for name, key in wanted.items()
        if key and key not in known
    ]
    errors += [
        FieldError(f"pictures/{place}", "there is no such picture; upload it first")
        for place, key in enumerate(own.pictures or ())
        if key and key not in known
    ]
    if errors:
        raise InvalidInput("Some pictures are not there.", errors=tuple(errors))


async def _check_colours(tx: Tx, channel: Channel, own: Brand) -> None:
    known = {each.id: each for each in await channels.all_channels(tx)}
    kits = {each.channel: each.own for each in await store.kits(tx)} | {channel.id: own}
    errors: list[FieldError] = []
    for each in [channel, *rules.below(channel.id, known.values())]:
        brand = theme.inherit([kits[one] for one in rules.line_of(each, known) if one in kits])
        where = "" if each.id == channel.id else f" in {each.name}, which inherits it"
        errors += [
            FieldError(f"{found.scheme}/{found.token}", spoken(found) + where)
            for found in theme.findings(brand)
        ]
    if errors:
        raise InvalidInput("Some texts could not be read.", errors=tuple(errors))


def spoken(found: Finding) -> str:
    """What is wrong with two colours, and what would be right."""
    return (
        f"{found.ratio:g} : 1 on the {found.ground}; text needs {found.needed:g} : 1 (WCAG 2.2), "
        f"{found.better} would do"
    )


# -- menus -----------------------------------------------------------------------------------------------------------------


async def menu_of(reader: Reader, code: str, place: MenuPlace) -> Menu:
    """A menu as a channel has set it, version 0 if it has not.

    Raises:
        NotFound: there is no such channel.
    """
    channel = await channels.by_code(reader, code)
    return _menu(await store.menus(reader), channel.id, place)


def _menu(menus: Sequence[Menu], channel: UUID, place: MenuPlace) -> Menu:
    found = [menu for menu in menus if menu.channel == channel and menu.place == place]
    return found[0] if found else Menu(channel=channel, place=place)


async def set_menu(
    tx: Tx, code: str, place: MenuPlace, items: list[Link], *, version: int | None = None
) -> Menu:
    """Set a menu of a channel, all of it anew; none at all: what the channel has without.

    Raises:
        NotFound: no such channel. Outdated: somebody changed it since ``version`` (0: there was none).
        InvalidInput: an entry without a text; in a header one that leads nowhere.
    """
    tx.actor.require(PUBLISH)
    old = await menu_of(tx, code, place)
    check_version(version, old.version)
    errors = [
        FieldError(f"items/{number}/text", "write what it is called, in one language at least")
        for number, item in enumerate(items)
        if not rules.said(item.text, "en")
    ]
    if place is MenuPlace.HEADER:
        errors += [
            FieldError(f"items/{number}/href", "where does it lead?")
            for number, item in enumerate(items)
            if not item.href
        ]
    if errors:
        raise InvalidInput("Some entries are not finished.", errors=tuple(errors))
    if items == old.items:
        return old
    if not await store.put_menu(tx, old.channel, place, items, old.version):
        raise Outdated("Somebody else changed this menu at the same moment.")
    log.append(tx, MenuChanged(place=place, entries=len(items)), subject=old.channel, channel=old.channel)
    audit.record(
        tx, "content.menu-changed", "channel", old.channel,
        before={place.value: store.document(old.items)}, after={place.value: store.document(items)},
    )  # fmt: skip
    tx.after_commit(setup.forget)
    return await menu_of(tx, code, place)
