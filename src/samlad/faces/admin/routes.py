"""All handlers of the admin pages."""

from litestar import Router

from samlad.faces.admin import channels, sign_in, undo

routes: list[Router] = [
    Router(
        "/",
        route_handlers=[*sign_in.HANDLERS, *undo.HANDLERS, *channels.HANDLERS],
        include_in_schema=False,
    )
]
