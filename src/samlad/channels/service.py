"""The verbs of channels."""

from typing import Any
from uuid import UUID

from msgspec import UNSET, structs

from samlad.access import audit
from samlad.channels import cache, store
from samlad.channels.events import ChannelChanged, ChannelCreated
from samlad.channels.model import Channel, ChannelChange, ChannelInput
from samlad.channels.permissions import CHANGE
from samlad.channels.rules import check_values
from samlad.channels.settings import check_settings
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, FieldError, InvalidInput

INHERITED = ("country", "locale", "currency", "time_zone", "opening_hours")
"""Fields that come from the parent where a channel does not set them. Of these only opening hours may be missing."""
_NEEDED = INHERITED[:4]


async def create(tx: Tx, data: ChannelInput) -> Channel:
    """Make a channel with a pool of its own of each resource, but for those that it joins.

    Raises:
        InvalidInput: an unknown parent, country, locale, currency, time zone, setting or channel to join;
            or without a parent and without one of the first four.
        Conflict: the code is taken.
    """
    tx.actor.require(CHANGE)
    values: dict[str, Any] = {name: getattr(data, name) for name in INHERITED}
    check_values(values)
    check_settings(data.settings)
    if data.parent is None:
        _refuse_gaps(values)
    known = await store.ids_of(tx, [*data.join.values(), *([data.parent] if data.parent else [])])
    unknown = [FieldError(f"join/{r}", f"no channel “{c}”") for r, c in data.join.items() if c not in known]
    if data.parent is not None and data.parent not in known:
        unknown.append(FieldError("parent", f"no channel “{data.parent}”"))
    if unknown:
        raise InvalidInput("Some channels do not exist.", errors=tuple(unknown))
    channel_id = new_id()
    inserted = await store.insert(
        tx,
        {
            "id": channel_id,
            "code": data.code,
            "name": data.name,
            "kind": str(data.kind),
            "parent": known[data.parent] if data.parent else None,
            "settings": {name: value for name, value in data.settings.items() if value is not None},
            **values,
            "opening_hours": store.as_document(data.opening_hours),
        },
    )
    if not inserted:
        raise Conflict.at("code", f"“{data.code}” is taken")
    await store.insert_pools(tx, channel_id, data.name, {r: known[c] for r, c in data.join.items()})
    channel = await store.get(tx, channel_id)
    log.append(
        tx,
        ChannelCreated(code=channel.code, name=channel.name, kind=channel.kind, pools=channel.pools),
        subject=channel_id,
        channel=channel_id,
    )
    audit.record(tx, "channel.created", "channel", channel_id, after=data)
    tx.after_commit(cache.forget)
    return channel


async def change(tx: Tx, channel_id: UUID, data: ChannelChange, *, version: int | None = None) -> Channel:
    """Change what is given; null inherits again. ``version`` is the one that the caller saw.

    Raises:
        NotFound, InvalidInput: as `create`; also a parent that inherits from this channel.
        Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(CHANGE)
    await store.lock_tree(tx)
    old = await store.get(tx, channel_id)
    check_version(version, old.version)
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    check_values(given)
    if "settings" in given:
        check_settings(given["settings"])
        merged = {**old.own.settings, **given["settings"]}
        given["settings"] = {name: value for name, value in merged.items() if value is not None}
    if "parent" in given:
        given["parent"] = await _new_parent(tx, channel_id, given["parent"])
    before = {**structs.asdict(old.own), "name": old.name, "status": old.status, "parent": old.parent}
    changed = {name: value for name, value in given.items() if value != before[name]}
    if not changed:
        tx.after_commit(cache.forget)  # whoever made it so at this moment may not have said so yet
        return old
    if given.get("parent", old.parent) is None:
        _refuse_gaps({**before, **changed})
    columns = {name: store.as_document(value) for name, value in changed.items() if name != "parent"}
    if "parent" in changed:
        columns["parent"] = changed["parent"]
    await store.update(tx, channel_id, old.version, columns)
    channel = await store.get(tx, channel_id)
    was = {name: store.as_document(before[name]) for name in changed}
    log.append(
        tx,
        ChannelChanged(code=channel.code, before=was, after=columns),
        subject=channel_id,
        channel=channel_id,
    )
    audit.record(tx, "channel.changed", "channel", channel_id, before=was, after=columns)
    tx.after_commit(cache.forget)
    return channel


def _refuse_gaps(values: dict[str, Any]) -> None:
    gaps = [name for name in _NEEDED if values[name] is None]
    if gaps:
        raise InvalidInput(
            "A channel without a parent has nothing to inherit.",
            errors=tuple(FieldError(name, "needed without a parent") for name in gaps),
        )


async def _new_parent(tx: Tx, channel_id: UUID, code: str | None) -> UUID | None:
    if code is None:
        return None
    parent = (await store.ids_of(tx, [code])).get(code)
    if parent is None:
        raise InvalidInput.at("parent", f"no channel “{code}”")
    if await store.is_below(tx, parent, channel_id):
        raise InvalidInput.at("parent", f"“{code}” inherits from this channel")
    return parent
