"""Probable duplicates are a part of who is who: they need what identity and customers need."""

from samlad.customers import READ as SEE_CUSTOMERS
from samlad.identity import DECIDE, READ, RULES

__all__ = ["DECIDE", "READ", "RULES", "SEE_CUSTOMERS"]
