"""Channels: where the retailer meets customers, and the pools that say what they share.

The public face. `docs/concepts/channels.md` explains channels, pools and inheritance.
"""

from samlad.channels.cache import cached, cached_all, cached_by_code, last_seen
from samlad.channels.hours import is_open, next_opening
from samlad.channels.model import (
    Channel,
    ChannelChange,
    ChannelInput,
    ChannelKind,
    ChannelStatus,
    ExceptionalDay,
    Interval,
    OpeningHours,
    OwnValues,
    Resource,
)
from samlad.channels.rules import main_of, shop_at
from samlad.channels.service import change, create
from samlad.channels.shop_address import shop_address
from samlad.channels.store import all_channels, by_code, get

__all__ = [
    "Channel",
    "ChannelChange",
    "ChannelInput",
    "ChannelKind",
    "ChannelStatus",
    "ExceptionalDay",
    "Interval",
    "OpeningHours",
    "OwnValues",
    "Resource",
    "all_channels",
    "by_code",
    "cached",
    "cached_all",
    "cached_by_code",
    "change",
    "create",
    "get",
    "is_open",
    "last_seen",
    "main_of",
    "next_opening",
    "shop_address",
    "shop_at",
]
