"""The till: sign in, choose a store, scan, take the money, print the receipt. With network or without."""

from samlad.faces.pos.routes import routes

__all__ = ["routes"]
