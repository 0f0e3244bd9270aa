"""What a location does for one channel: what it keeps back from it, or whether it serves it at all."""

from uuid import UUID

from samlad.access import audit
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.stock import places
from samlad.stock.events import LocationChannelSet
from samlad.stock.model import LocationChannel, LocationChannelInput
from samlad.stock.permissions import LOCATIONS

_RULE = "c.code AS channel, r.buffer, r.is_excluded"


async def of_location(reader: Reader, location: UUID) -> list[LocationChannel]:
    """Where a location behaves otherwise, by code of the channel."""
    return await reader.all(
        LocationChannel,
        f"""SELECT {_RULE} FROM location_sharing r JOIN channel c ON c.id = r.channel
            WHERE r.location = $1 ORDER BY c.code""",
        location,
    )


async def set_channel(
    tx: Tx, location: UUID, channel: Channel, data: LocationChannelInput
) -> LocationChannel:
    """Say how a location behaves for one channel. Twice is once. Raises NotFound."""
    tx.actor.require(LOCATIONS, location=location)
    place = await places.location(tx, location)
    await tx.execute(
        """INSERT INTO location_sharing (location, channel, buffer, is_excluded) VALUES ($1, $2, $3, $4)
           ON CONFLICT (location, channel) DO UPDATE
           SET buffer = EXCLUDED.buffer, is_excluded = EXCLUDED.is_excluded""",
        location,
        channel.id,
        data.buffer,
        data.is_excluded,
    )
    made = LocationChannel(channel.code, data.buffer, data.is_excluded)
    fact = LocationChannelSet(code=place.code, buffer=made.buffer, is_excluded=made.is_excluded)
    log.append(tx, fact, subject=location, channel=channel.id)
    audit.record(tx, "location.channel-set", "location", location, after=made)
    return made
