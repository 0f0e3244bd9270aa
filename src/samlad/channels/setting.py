"""What a channel setting is."""

from typing import Any

import msgspec


class Setting(msgspec.Struct, frozen=True):
    """One setting: ``type`` is what msgspec converts to; ``default`` holds where no ancestor sets it."""

    name: str
    type: Any
    default: Any
    description: str
