"""Alerts: somebody is told once when something is there again. The public face."""

from samlad.alerts.model import AlertInput, StockAlert
from samlad.alerts.service import ask, end, tell_of

__all__ = ["AlertInput", "StockAlert", "ask", "end", "tell_of"]
