"""Who comes is somebody of the pool of customers that the store is in."""

from samlad.channels import Resource
from samlad.channels.pooling import Pooling
from samlad.customers.pooling import renaming

POOLING = Pooling(order=89, steps={Resource.CUSTOMERS: [renaming("appointment")]})
