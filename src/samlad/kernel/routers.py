"""Routers that know their paths.

For each path that Litestar's routers are given they look through all that they have, so what an application costs grows
with the square of its paths: with twelve hundred that is a third of its making.
"""

from itertools import zip_longest
from typing import Any

from litestar import Litestar, Router
from litestar.routes import BaseRoute, HTTPRoute
from litestar.routes.websocket import WebSocketRoute


class _KnowsPaths(Router):
    _known: list[BaseRoute]
    """The routes that the map was made of."""
    _map: dict[str, Any]

    @property
    def route_handler_method_map(self) -> dict[str, Any]:
        """By path and method, who answers there; brought up to date where a route was added, or took another's place."""
        if not hasattr(self, "_map"):
            self._known, self._map = [], {}
        pairs = zip_longest(self._known, self.routes)
        if changed := {route.path for before, route in pairs if route is not before}:
            self._map |= {path: {} for path in changed}
            for route in self.routes:
                if route.path in changed:
                    self._map[route.path] |= _answering(route)
            self._known = list(self.routes)
        return self._map


class BigRouter(_KnowsPaths):
    """A router of hundreds of paths."""


class Application(_KnowsPaths, Litestar):
    """An application of hundreds of paths."""


def _answering(route: Any) -> dict[str, Any]:
    if isinstance(route, HTTPRoute):
        return {method: handler for handler in route.route_handlers for method in handler.http_methods}
    return {"websocket" if isinstance(route, WebSocketRoute) else "asgi": route.route_handler}
