"""Parts of a person that packages above know: they say how these are read, because nothing here may import them."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from samlad.kernel.database import Reader

Reading = Callable[[Reader, UUID], Awaitable[dict[str, Any]]]

_readings: dict[str, Reading] = {}


def provide(*parts: str, read: Reading) -> None:
    """Say how parts are read: a function of a customer's id that answers all of them by name."""
    for part in parts:
        assert part not in _readings, f"{part} is provided twice"
        _readings[part] = read


async def provided(reader: Reader, customer: UUID, wanted: set[str]) -> dict[str, Any]:
    """Those of the wanted parts that packages above know; each of their functions is asked once."""
    found: dict[str, Any] = {}
    for read in dict.fromkeys(_readings[part] for part in sorted(wanted & set(_readings))):
        found.update(await read(reader, customer))
    return {part: value for part, value in found.items() if part in wanted}
