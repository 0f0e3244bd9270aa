"""Reviews are of goods, and goods do not move between pools. Whoever wrote them may be somebody else in another pool."""

from samlad.channels import Resource
from samlad.channels.pooling import Pooling
from samlad.customers.pooling import renaming

POOLING = Pooling(order=85, steps={Resource.CUSTOMERS: [renaming("review")]})
