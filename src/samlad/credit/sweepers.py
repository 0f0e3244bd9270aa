"""What the worker does by the clock: cards and points whose time is over, points whose time has come."""

from samlad.credit import earning, gift_cards
from samlad.kernel.sweepers import Sweeper

SWEEPERS = [
    Sweeper("expired-gift-cards", 600.0, gift_cards.sweep),
    Sweeper("points", 600.0, earning.sweep),
]
"""A card or a point that has expired does not pay meanwhile either way: cards are asked for their day, points are spent
oldest first and so at most ten minutes too long."""
