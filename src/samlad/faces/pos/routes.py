"""Every address of the till."""

from litestar import Router

from samlad.faces.pos import (
    day,
    discount,
    drawer,
    elsewhere,
    offline,
    pay,
    people,
    returns,
    sharing,
    terminal,
    ticket,
    unknown,
    work,
    work_acts,
)
from samlad.faces.pos.desk import to_sign_in
from samlad.kernel.problems import Unauthenticated

routes = [
    Router(
        path="/pos",
        include_in_schema=False,
        exception_handlers={Unauthenticated: to_sign_in},
        route_handlers=[
            *offline.handlers,
            *ticket.handlers,
            *sharing.handlers,
            *people.handlers,
            *pay.handlers,
            *terminal.handlers,
            *day.handlers,
            *elsewhere.handlers,
            *returns.handlers,
            *unknown.handlers,
            *discount.handlers,
            *drawer.handlers,
            *work.handlers,
            *work_acts.handlers,
        ],
    )
]
