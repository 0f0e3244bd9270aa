"""What probable duplicates have in pools: models and settings stay; cards and pairs go where their customers go."""

from samlad.channels.pooling import Pooling

_STAYS = "it was learnt from, or is about, the people of the pool that it was made in"

POOLING = Pooling(
    order=96,
    stays={"duplicate_model": _STAYS, "duplicate_settings": _STAYS, "duplicate_run": _STAYS},
)
