"""Who takes consent back is nobody's customer any more."""

from samlad import consent
from samlad.clienteling import service
from samlad.clienteling.model import PURPOSE
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event


async def follow(tx: Tx, event: Event) -> None:
    """Release whoever does not agree now: told twice, or after they agreed anew, it makes no difference."""
    if event.payload["purpose"] != PURPOSE or event.profile is None:
        return
    if event.profile not in await consent.allowed(tx, [event.profile], PURPOSE):
        await service.withdrawn(tx, event.profile)


FOLLOWERS = [Follower(name="clienteling", handle=follow, types=("consent.recorded",))]
