"""The verb `observe`: identifiers were seen together."""

from collections.abc import Sequence
from uuid import UUID

from samlad.identity.model import Sighting
from samlad.kernel.database import Tx


async def observe(tx: Tx, sightings: Sequence[Sighting]) -> list[UUID | None]:
    """Note who was seen; for each sighting the id under which to keep what they did, None if it tells nobody.

    The id belongs to the strongest identifier of the sighting and never changes, so it may be written down: it goes
    where that identifier goes, through every merge and split. `current` says which profile it is of now.

    Set-based: thousands at once. The caller holds the permission for what it reports. Told twice it does nothing the
    second time.
    """
    raise NotImplementedError  # the face, for those who build against it; what is behind it follows
