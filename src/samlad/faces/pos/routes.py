"""Every address of the till."""

from litestar import Router

from samlad.faces.pos import (
    appointments,
    balance,
    checked,
    clerks,
    clients,
    day,
    discount,
    displays,
    drawer,
    elsewhere,
    kiosk,
    labels,
    offline,
    pay,
    people,
    printing,
    returns,
    sharing,
    terminal,
    ticket,
    unknown,
    weighing,
    work,
    work_acts,
    work_phone,
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
            *clerks.handlers,
            *kiosk.handlers,
            *ticket.handlers,
            *sharing.handlers,
            *people.handlers,
            *clients.handlers,
            *appointments.handlers,
            *weighing.handlers,
            *pay.handlers,
            *terminal.handlers,
            *day.handlers,
            *elsewhere.handlers,
            *returns.handlers,
            *balance.handlers,
            *unknown.handlers,
            *discount.handlers,
            *drawer.handlers,
            *printing.handlers,
            *labels.handlers,
            *displays.handlers,
            *work.handlers,
            *work_acts.handlers,
            *work_phone.handlers,
        ],
    ),
    *checked.routes,
]
