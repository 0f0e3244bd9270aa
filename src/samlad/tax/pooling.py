"""What tax has in pools: the shopkeeper's own rates, by pool of prices."""

from samlad.channels.pooling import Pooling

POOLING = Pooling(
    order=5,
    stays={"tax_country_rate": "rates of a shop's own are rules of its pool of prices"},
)
