"""What every worker does for the catalogue now and then."""

from samlad.catalog.search.index import refresh_due
from samlad.kernel.sweepers import Sweeper

SWEEPERS = [Sweeper("price-lists", 5.0, refresh_due)]
