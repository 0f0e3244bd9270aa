"""Who waits is somebody of the pool of customers that the channel is in, for goods of its catalogue."""

from samlad.catalog.twins import repointing
from samlad.channels import Resource
from samlad.channels.pooling import Pooling
from samlad.customers.pooling import renaming

POOLING = Pooling(
    order=87,
    steps={
        Resource.CATALOGUE: [repointing("stock_alert", key="id", ours="t.channel = $1", with_switch=True)],
        Resource.CUSTOMERS: [renaming("stock_alert")],
    },
)
