"""The money book: what the log tells becomes vouchers that come to zero; drawers, days, and export.

The public face. `docs/concepts/books.md` explains.
"""

from samlad.books.closings import close_day, place_of, reopen_day, report
from samlad.books.lists import CLOSINGS, SHIFTS, VOUCHERS, balances, over_time
from samlad.books.model import (
    Account,
    AccountInput,
    BalanceRow,
    Book,
    BookChange,
    CashRefundInput,
    CloseDayInput,
    CloseTillInput,
    DayClosing,
    DayPoint,
    DayReport,
    DayState,
    OpenTillInput,
    Recognition,
    ReopenInput,
    ReverseInput,
    Shift,
    ShiftView,
    TillMovementInput,
    TillReason,
    TillReport,
    TillState,
    Voucher,
    VoucherKind,
    VoucherState,
)
from samlad.books.permissions import ACCOUNTS, CLOSE, READ, REOPEN, TILL, TILL_REFUND, TILL_REPORT, TIPS
from samlad.books.purposes import PURPOSES
from samlad.books.service import change, chart, get, names, reverse, set_account, voucher
from samlad.books.store import books
from samlad.books.till_refunds import refund_cash
from samlad.books.till_rules import denominations
from samlad.books.till_store import By, drawers, note_told, open_shifts
from samlad.books.tills import close_till, join_till, move_cash, open_till, view, x_report
from samlad.books.tip_model import (
    Means,
    TipPayout,
    TipPayoutInput,
    TipsOwed,
    TipsState,
    TipSum,
    UndoTipsInput,
)
from samlad.books.tip_store import PAYOUTS as TIP_PAYOUTS
from samlad.books.tip_store import TIPS as EACH_TIP
from samlad.books.tip_store import Wanted as TipsWanted
from samlad.books.tip_store import owed as tips_owed
from samlad.books.tip_store import sums as tip_sums
from samlad.books.tips import get as tip_payout
from samlad.books.tips import pay_out as pay_tips_out
from samlad.books.tips import undo as undo_tip_payout

__all__ = [
    "ACCOUNTS",
    "CLOSE",
    "CLOSINGS",
    "EACH_TIP",
    "PURPOSES",
    "READ",
    "REOPEN",
    "SHIFTS",
    "TILL",
    "TILL_REFUND",
    "TILL_REPORT",
    "TIPS",
    "TIP_PAYOUTS",
    "VOUCHERS",
    "Account",
    "AccountInput",
    "BalanceRow",
    "Book",
    "BookChange",
    "By",
    "CashRefundInput",
    "CloseDayInput",
    "CloseTillInput",
    "DayClosing",
    "DayPoint",
    "DayReport",
    "DayState",
    "Means",
    "OpenTillInput",
    "Recognition",
    "ReopenInput",
    "ReverseInput",
    "Shift",
    "ShiftView",
    "TillMovementInput",
    "TillReason",
    "TillReport",
    "TillState",
    "TipPayout",
    "TipPayoutInput",
    "TipSum",
    "TipsOwed",
    "TipsState",
    "TipsWanted",
    "UndoTipsInput",
    "Voucher",
    "VoucherKind",
    "VoucherState",
    "balances",
    "books",
    "change",
    "chart",
    "close_day",
    "close_till",
    "denominations",
    "drawers",
    "get",
    "join_till",
    "move_cash",
    "names",
    "note_told",
    "open_shifts",
    "open_till",
    "over_time",
    "pay_tips_out",
    "place_of",
    "refund_cash",
    "reopen_day",
    "report",
    "reverse",
    "set_account",
    "tip_payout",
    "tip_sums",
    "tips_owed",
    "undo_tip_payout",
    "view",
    "voucher",
    "x_report",
]
