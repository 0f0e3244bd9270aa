"""Promotions: what is given to whom and when, as a ledger of grants. `docs/concepts/promotions.md` explains.

The public face: what carts and orders use.
"""

from samlad.promotions.granting import (
    Holder,
    Use,
    drop_code,
    follow,
    hand_on,
    note,
    redeem,
    release,
    show,
    show_later,
    use,
)
from samlad.promotions.model import BadCode, HolderKind, Promotion, PromotionGone, PromotionStatus
from samlad.promotions.offers import NOTHING, Asking, Goods, Offers, offers
from samlad.promotions.permissions import CHANGE, GRANT, READ
from samlad.promotions.rules import Outcome, apply
from samlad.promotions.uses_store import known

__all__ = [
    "CHANGE",
    "GRANT",
    "NOTHING",
    "READ",
    "Asking",
    "BadCode",
    "Goods",
    "Holder",
    "HolderKind",
    "Offers",
    "Outcome",
    "Promotion",
    "PromotionGone",
    "PromotionStatus",
    "Use",
    "apply",
    "drop_code",
    "follow",
    "hand_on",
    "known",
    "note",
    "offers",
    "redeem",
    "release",
    "show",
    "show_later",
    "use",
]
