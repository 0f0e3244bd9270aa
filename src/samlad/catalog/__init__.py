"""Catalogue: what is sold, how it is described and found, and what it costs where."""
