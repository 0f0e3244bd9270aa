"""Stock as a condition of the catalogue's search, which knows nothing of stock: the list stays one statement."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID


def there_now(location: UUID) -> tuple[str, Sequence[Any]]:
    """Products with a variant that can be taken away at a location now, as `SearchQuery.condition` takes it.

    A set is there when each of its parts is.
    """
    free = "l.location = {} AND l.on_hand > l.held"
    return (
        f"""EXISTS (
            SELECT 1 FROM variant v WHERE v.product = s.product AND v.status = 'active' AND (
                (EXISTS (SELECT 1 FROM level l WHERE l.variant = v.id AND {free})
                 AND NOT EXISTS (SELECT 1 FROM bundle_component b WHERE b.bundle = v.id))
                OR (EXISTS (SELECT 1 FROM bundle_component b WHERE b.bundle = v.id) AND NOT EXISTS (
                    SELECT 1 FROM bundle_component b WHERE b.bundle = v.id AND NOT EXISTS (
                        SELECT 1 FROM level l WHERE l.variant = b.component AND l.location = {{}}
                          AND l.on_hand - l.held >= b.quantity)))))""",
        [location, location],
    )
