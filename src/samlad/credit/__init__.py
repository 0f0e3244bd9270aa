"""Credit: gift cards, store credit and loyalty points in one book with double entry.

The public face. `docs/concepts/credit.md` explains.
"""

from samlad.credit.at_till import sell as sell_at_till
from samlad.credit.at_till import take as take_at_till
from samlad.credit.book import ENTRIES
from samlad.credit.card_mails import change_day as change_mail_day
from samlad.credit.card_mails import is_sent as is_card_sent
from samlad.credit.card_mails import of_order as mails_of_order
from samlad.credit.card_mails import read as read_mail
from samlad.credit.card_mails import send_now as send_card_now
from samlad.credit.codes import card_hash, read_card_code
from samlad.credit.earning import join
from samlad.credit.gift_cards import (
    balance,
    block,
    find,
    get,
    guess,
    issue,
    keep,
    replace,
    sell_by_mail,
    top_up,
    unblock,
    usable,
)
from samlad.credit.holds import capture, hold_card, hold_credit, hold_own_card, refund, void
from samlad.credit.loyalty import adjust, by_code, enrol, programme_of, redeem, set_programme, view
from samlad.credit.loyalty_store import programme
from samlad.credit.mail_model import CardMail, CardSent, MailDay
from samlad.credit.mail_planning import days as mail_days
from samlad.credit.mail_store import of_card as mail_of_card
from samlad.credit.model import (
    AccountKind,
    Balance,
    BalanceInput,
    CardBalance,
    CardRow,
    CardState,
    CardStatus,
    CardUnusable,
    EntryRow,
    GiftCard,
    GrantInput,
    IssuedCard,
    IssueInput,
    MailInput,
    Member,
    MemberView,
    NoProgramme,
    NotEnoughPoints,
    Origin,
    PointsInput,
    Programme,
    ProgrammeInput,
    Rate,
    RedeemInput,
    Reward,
    Rewarded,
    RewardKind,
    Tier,
    TopUpInput,
)
from samlad.credit.permissions import GRANT, ISSUE, PAY, PROGRAMME, READ
from samlad.credit.points_paying import HeldPoints, Worth, hold_points, take_points, worth
from samlad.credit.store import CARDS
from samlad.credit.store_credit import grant, of_customer, refund_to_credit
from samlad.credit.unsold import UNSOLD, TakeBackInput, TakenBack
from samlad.credit.unsold import take_back as take_back_unsold

__all__ = [
    "CARDS",
    "ENTRIES",
    "GRANT",
    "ISSUE",
    "PAY",
    "PROGRAMME",
    "READ",
    "UNSOLD",
    "AccountKind",
    "Balance",
    "BalanceInput",
    "CardBalance",
    "CardMail",
    "CardRow",
    "CardSent",
    "CardState",
    "CardStatus",
    "CardUnusable",
    "EntryRow",
    "GiftCard",
    "GrantInput",
    "HeldPoints",
    "IssueInput",
    "IssuedCard",
    "MailDay",
    "MailInput",
    "Member",
    "MemberView",
    "NoProgramme",
    "NotEnoughPoints",
    "Origin",
    "PointsInput",
    "Programme",
    "ProgrammeInput",
    "Rate",
    "RedeemInput",
    "Reward",
    "RewardKind",
    "Rewarded",
    "TakeBackInput",
    "TakenBack",
    "Tier",
    "TopUpInput",
    "Worth",
    "adjust",
    "balance",
    "block",
    "by_code",
    "capture",
    "card_hash",
    "change_mail_day",
    "enrol",
    "find",
    "get",
    "grant",
    "guess",
    "hold_card",
    "hold_credit",
    "hold_own_card",
    "hold_points",
    "is_card_sent",
    "issue",
    "join",
    "keep",
    "mail_days",
    "mail_of_card",
    "mails_of_order",
    "of_customer",
    "programme",
    "programme_of",
    "read_card_code",
    "read_mail",
    "redeem",
    "refund",
    "refund_to_credit",
    "replace",
    "sell_at_till",
    "sell_by_mail",
    "send_card_now",
    "set_programme",
    "take_at_till",
    "take_back_unsold",
    "take_points",
    "top_up",
    "unblock",
    "usable",
    "view",
    "void",
    "worth",
]
