"""Who waits is somebody of the pool of customers that the channel is in."""

from samlad.channels import Resource
from samlad.channels.pooling import Pooling
from samlad.customers.pooling import renaming

POOLING = Pooling(order=87, steps={Resource.CUSTOMERS: [renaming("stock_alert")]})
