"""What the worker does by the clock: cards and points whose time is over, points whose time has come, cards that go to somebody today."""

from samlad.credit import card_mails, earning, gift_cards
from samlad.kernel.sweepers import Sweeper

SWEEPERS = [
    Sweeper("gift-card-mails", 30.0, card_mails.sweep),
    Sweeper("expired-gift-cards", 600.0, gift_cards.sweep),
    Sweeper("points", 600.0, earning.sweep),
]
"""A card or a point that has expired does not pay meanwhile either way: cards are asked for their day, points are spent
oldest first and so at most ten minutes too long."""
