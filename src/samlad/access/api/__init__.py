"""HTTP: signing in, one's own account, staff, keys, audit."""

from litestar import Router

from samlad.access.api import account, administration, machines, oauth, session

routes = [
    Router("/api", route_handlers=[*session.HANDLERS], tags=["Session"]),
    Router("/api", route_handlers=[*account.HANDLERS], tags=["Own account"]),
    Router("/api", route_handlers=[*administration.HANDLERS], tags=["Staff, keys, audit"]),
    Router("/api", route_handlers=[*machines.HANDLERS], tags=["Staff, keys, audit"]),
    Router("/", route_handlers=[*oauth.HANDLERS], include_in_schema=False),
]
