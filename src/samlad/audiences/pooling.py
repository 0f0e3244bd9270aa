"""What segments have in pools: they stay with the pool of customers that they are about; who is in is found out anew."""

from samlad.channels.pooling import Pooling

_STAYS = "it is about the people of the pool that it was made in"

POOLING = Pooling(order=95, stays={"segment": _STAYS, "rfm_score": _STAYS, "rfm_run": _STAYS})
