"""Recommendations: what is bought together, and which size to take. `docs/concepts/bought-together.md` explains."""

from samlad.recommendations.model import Companion, SizeAdvice, Tried
from samlad.recommendations.rules import by_measures, size_option
from samlad.recommendations.service import size_for, together

__all__ = ["Companion", "SizeAdvice", "Tried", "by_measures", "size_for", "size_option", "together"]
