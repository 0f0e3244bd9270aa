"""The till: sign in, choose a store, scan, take the money, print the receipt. With network or without."""

from samlad.faces.pos import screen
from samlad.faces.pos.routes import routes as till_routes

routes = [*till_routes, *screen.routes]

__all__ = ["routes"]
