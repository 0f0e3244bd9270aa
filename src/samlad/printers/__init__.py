"""Printers of a location: receipts on paper over the network, cash drawers that open. The public face.

`docs/concepts/printers.md` explains.
"""

from samlad.printers.live import topic_of
from samlad.printers.model import (
    CodePage,
    DrawerInput,
    NotAgain,
    Printer,
    PrinterChange,
    PrinterInput,
    PrinterNameTaken,
    PrintInput,
    PrintJob,
    PrintKind,
    PrintReportInput,
    PrintState,
)
from samlad.printers.permissions import MANAGE, OPEN_DRAWER, PRINT
from samlad.printers.queue import ask_again, open_drawer, open_for_sale, print_receipt, print_test
from samlad.printers.reports import print_report
from samlad.printers.service import change, create, remove
from samlad.printers.store import JOBS, PRINTERS, jobs_of_order, of_location, printer

__all__ = [
    "JOBS",
    "MANAGE",
    "OPEN_DRAWER",
    "PRINT",
    "PRINTERS",
    "CodePage",
    "DrawerInput",
    "NotAgain",
    "PrintInput",
    "PrintJob",
    "PrintKind",
    "PrintReportInput",
    "PrintState",
    "Printer",
    "PrinterChange",
    "PrinterInput",
    "PrinterNameTaken",
    "ask_again",
    "change",
    "create",
    "jobs_of_order",
    "of_location",
    "open_drawer",
    "open_for_sale",
    "print_receipt",
    "print_report",
    "print_test",
    "printer",
    "remove",
    "topic_of",
]
