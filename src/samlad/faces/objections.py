"""What the server may object to, in words: of a sale of a till, and what verbs refuse where their texts reach pages.

Verbs say in English what is wrong, for whoever calls the API. What a person meets at a form is told in their language: by
the catalogue, or, where it has figures in it, by one of the sentences here.
"""

import re
from collections.abc import Callable

from samlad.faces import refusals
from samlad.kernel.i18n import marked

OBJECTIONS = {
    "unknown-goods": marked("Unknown article"),
    "not-for-sale": marked("Not for sale here"),
    "price": marked("Another price"),
    "tax": marked("Another tax rate"),
    "promotion": marked("A promotion that it should not have had"),
    "sums": marked("Sums do not agree"),
    "paid": marked("Paid more or less"),
    "stock": marked("More than the books had"),
    "lot-unknown": marked("A lot or serial number that nobody has seen"),
    "lot-lacking": marked("A lot or serial number that was not in stock here"),
    "lot-elsewhere": marked("A serial number that stands in the books of another place"),
    "lot-expired": marked("Sold after its last day"),
    "lot-recalled": marked("Of a lot that was recalled"),
    "lot-other": marked("Another lot or serial number came back than was sold"),
    "serial-sold": marked("A serial number that was sold before"),
    "clock": marked("The clock was wrong"),
    "late": marked("Long ago"),
    "clerk": marked("Nobody of this name works here"),
    "clerk-rights": marked("Whoever was on may not sell here"),
    "kiosk": marked("A kiosk may not do this"),
    "card": marked("No terminal had accepted the card, or its money was let go"),
    "kiosk-unchecked": marked("Nobody of staff had looked at the customer"),
    "customer": marked("Unknown customer"),
    "new-customer": marked("Somebody new was written down with nothing to know them by again"),
    "currency": marked("Another currency"),
    "number-used": marked("Its number was used before"),
    "discount": marked("More off by hand than a clerk may give alone"),
    "not-done": marked("It could not be done here"),
    "unknown-receipt": marked("Nobody knows this receipt"),
    "receipt-waits": marked("Its sale has not come yet: it is booked by itself when that comes"),
    "receipt-key": marked("The key that signed its receipt was taken back"),
    "receipt-differs": marked("Its receipt says another total"),
    "elsewhere": marked("It was another place’s"),
    "gift-card": marked("Less on the gift card than was taken"),
    "gift-card-unknown": marked("A gift card was sold that nobody had made"),
    "gift-card-used": marked("A gift card was sold that had been sold before"),
    "gift-card-unusable": marked("A gift card was sold that cannot be used"),
    "conflict": marked("Another sale has its id"),
    "cart-ordered": marked("Its ticket was sold online already"),
    "unreadable": marked("It cannot be read"),
    "not-understood": marked("The server failed on it"),
}

REFUSALS = (
    marked("This was sent before, and is done. Nothing was done twice."),
    marked("This appointment is over, or was cancelled."),
    marked("This appointment was cancelled."),
    marked("It is too early to say that they did not come."),
    marked("does not do this here"),
    marked("say who comes"),
    marked("say where a confirmation can go"),
    marked("no store stands there"),
    marked("Ask the customer first whether they want personal advice from this store."),
    marked("The customer said no to this; only they can change that, on the page of their preferences."),
    marked("Somebody else looks after them in this store."),
    marked("This customer is not one of that shop."),
    marked("there is no such line of goods"),
    marked("Somebody has said what it was already."),
    marked("A part of it came back: correct the stock by hand."),
    marked("there is no such line"),
    marked("this is not for sale here"),
    marked("only for another variant of the same product"),
    marked("either a cart or exchanged lines: put the new goods into the cart"),
    marked("nobody is known whose store credit it could be"),
    marked("say where the new goods are handed over"),
    marked("say where it came in: it did not leave from any place here"),
    marked("no store is here; goods cannot be handed over"),
    marked("no store is here"),
    marked("this place belongs to another shop, with orders of its own"),
    marked("nothing is to be changed"),
    marked("this was not announced"),
    marked("is named twice"),
    marked("this had no price here in that time"),
    marked("Some lines are not right."),
    marked("Some lines do not say which units they are."),
    marked("It is cancelled."),
    marked("Nothing is due."),
    marked("Nothing of it is out."),
    marked("Nothing of it is here yet."),
    marked("It was charged already."),
    marked("All of it has left already."),
    marked("All of it has left; sell more as an order of its own."),
    marked("Some of it was returned; return the rest."),
    marked("It was sold and sent elsewhere: its goods can be taken back or exchanged, nothing else."),
    marked("The address cannot be right."),
    marked("this product is kept by lot: say which one"),
    marked("this product is kept by serial number: say which one"),
    marked("a serial number is one piece: a line for each"),
    marked("must be after valid_from"),
    marked("what is added and what is given instead are two orders: pay later, or make two changes"),
    marked("another country has other taxes: call the order off and sell it anew"),
)
"""Refusals without figures, for the catalogue: they are said as they are."""

_WITH_FIGURES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"at most (?P<most>\d+)", marked("at most %(most)s")),
        (r"at most (?P<most>\d+): no more of it is out", marked("at most %(most)s: no more of it is out")),
        (
            r"at most (?P<most>\d+): no more of it is still to go",
            marked("at most %(most)s: no more of it is still to go"),
        ),
        (r"one of (?P<codes>[a-z0-9_, ]+)", marked("one of %(codes)s")),
        (
            r"this store sells in (?P<there>[A-Z]{3}), the order is in (?P<here>[A-Z]{3})",
            marked("this store sells in %(there)s, the order is in %(here)s"),
        ),
        (
            r"it is in (?P<there>[A-Z]{3}), the order is in (?P<here>[A-Z]{3})",
            marked("it is in %(there)s, the order is in %(here)s"),
        ),
        (
            r"lot “(?P<lot>.+)” is new here: say until when it is good",
            marked("lot “%(lot)s” is new here: say until when it is good"),
        ),
    )
)

_HOLE = re.compile(r"%\\\((\w+)\\\)s")


def _recognised(sentence: str) -> re.Pattern[str]:
    """What a verb says where a sentence has holes."""
    pattern = _HOLE.sub(r"(?P<\1>.+?)", re.escape(sentence.replace("%%", "%")))
    return re.compile(pattern, re.DOTALL)


_OF_PACKAGES = tuple(
    (_recognised(sentence), sentence)
    for sentence in sorted(
        (each for sentences in refusals.COVERED.values() for each in sentences if "%(" in each),
        key=lambda sentence: -len(re.sub(r"%\(\w+\)s", "", sentence)),
    )
)
"""Those that say most come first: a short one with a hole may fit what a longer one says better."""


def said(translate: Callable[[str], str], text: str) -> str:
    """A refusal in the reader's language, as far as it is known; else as the verb said it."""
    known = translate(text)
    if known != text:
        return known
    for pattern, sentence in (*_WITH_FIGURES, *_OF_PACKAGES):
        found = pattern.fullmatch(text)
        if found is not None:
            return translate(sentence) % found.groupdict()
    return text
