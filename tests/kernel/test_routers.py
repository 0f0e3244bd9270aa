"""Routers that know their paths know what Litestar's would find by looking."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from litestar import Router, asgi, get, post

from samlad.kernel.routers import BigRouter

PATHS = st.lists(st.sampled_from(["/", "/a", "/a/", "/a/{number:int}", "/b", "b"]), min_size=1, max_size=3)
KINDS: dict[str, Any] = {"get": get, "post": post, "asgi": asgi}


async def _raw(scope: Any, receive: Any, send: Any) -> None: ...


async def _page() -> None: ...


def _handler(kind: str, paths: list[str]) -> Any:
    return asgi(paths)(_raw) if kind == "asgi" else KINDS[kind](paths)(_page)


@given(st.lists(st.tuples(st.sampled_from(list(KINDS)), PATHS), max_size=8))
def test_they_answer_at_the_same_paths(wanted: list[tuple[str, list[str]]]) -> None:
    plain, big = Router("/x", route_handlers=[]), BigRouter("/x", route_handlers=[])
    for kind, paths in wanted:
        one, other = _handler(kind, paths), _handler(kind, paths)
        plain.register(one)
        big.register(other)
    looked = Router.route_handler_method_map.fget(big)  # type: ignore[attr-defined]
    assert big.route_handler_method_map == looked
    assert {path: set(found) for path, found in looked.items()} == {
        path: set(found) for path, found in plain.route_handler_method_map.items()
    }
    assert len(big.routes) == len(plain.routes)
