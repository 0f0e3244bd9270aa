"""What the script of the till without network says, by the name that it knows it by; ``{n}`` and others are filled in there."""

from samlad.faces.objections import OBJECTIONS
from samlad.kernel.i18n import marked

WORDS = {
    "unsent": marked("Not sent yet: {n}"),
    "net-online": marked("Online"),
    "net-network": marked("No network: go on selling"),
    "net-sign-in": marked("Not signed in: go on selling"),
    "back-sending": marked("Sales are being sent: {n} left."),
    "back-sent": marked("Everything is sent."),
    "here": marked("{n} here"),
    "beyond": marked("Only {n} in the books: sell what is in hand"),
    "unleased": marked("{n} here when last heard of"),
    "pieces": marked("Pieces of {title}"),
    "remove": marked("Remove {title}"),
    "found": marked("Found: {n}"),
    "nothing": marked(
        "Nothing found for “{text}”. Look at the number on the label, or try a part of the name."
    ),
    "tax": marked("{tax} tax ({rate})"),
    "tax-on": marked("of which tax {rate} on {net}"),
    "paid": marked("Paid so far: {amount}"),
    "total": marked("Total"),
    "pay-cash": marked("Cash"),
    "pay-card": marked("Card"),
    "pay-other": marked("Another way to pay"),
    "pay-card-note": marked("Take the card at its own terminal. Go on once it was accepted there."),
    "pay-other-note": marked("Go on once you have it."),
    "rounded": marked("{exact}, rounded to what coins can pay"),
    "wrong-amount": marked("Write an amount that fits what there is to pay."),
    "by-cash": marked("Cash"),
    "by-card": marked("Card"),
    "by-other": marked("Other"),
    "given-back": marked("Change given"),
    "changed": marked(
        "The ticket has changed, in another window perhaps. Nothing was sold: look at it, then take the money."
    ),
    "not-written": marked(
        "This device could not write the sale down: nothing was sold. Its storage may be full; export the journal, then make room."
    ),
    "carried": marked("The ticket from before is here. If it was paid already, begin a new one."),
    "training-receipt": marked("Training: no sale"),
    "copy": marked("Copy"),
    "served": marked("You were served by {name}."),
    "thanks": marked("Thank you, and welcome back."),
    "pack-at": marked("Prices of {at}, {n} articles"),
    "imported": marked("Sales that were not here before: {n}"),
    "not-imported": marked("This is no journal of this store."),
    "state-unsent": marked("Not sent yet"),
    "state-refused": marked("The server did not take it"),
    "state-recorded": marked("Sent"),
    "state-kept": marked("A manager looks at it"),
    "state-conflict": marked("A manager looks at it"),
    "state-training": marked("Training"),
    **{f"objection-{code}": text for code, text in OBJECTIONS.items()},
}
