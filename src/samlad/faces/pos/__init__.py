"""The till: sign in, choose a store, scan, take the money, print the receipt. Plain and online; offline comes later."""

from samlad.faces.pos.routes import routes

__all__ = ["routes"]
