"""Samlad: the open omnichannel commerce engine."""

__version__ = "0.1.0"
