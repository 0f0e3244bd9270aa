"""What the script of store work on a phone says, by the name that it knows it by; ``{n}`` and others are filled in there."""

from samlad.faces.store_work_names import KINDS
from samlad.kernel.i18n import marked

WORDS = {
    "online": marked("Online"),
    "no-network": marked("No network"),
    "connecting": marked("Connecting"),
    "sign-in": marked("Signed out"),
    "unsent-waits": marked(
        "Not sent yet from this phone: {n}. It is kept, and is sent as soon as somebody who may work here has signed in."
    ),
    "n-unsent": marked("{n} not sent"),
    "not-written": marked(
        "This phone could not write it down: nothing was done. Make room on it, and try again."
    ),
    "nobody": marked("Nobody is signed in here any more: nothing was done."),
    "not-done": marked("There is no network, so the last step was not done. Do it here: it is sent later."),
    "count": marked("Count"),
    "counted": marked("Written down: {n} × {title}"),
    "counted-unknown": marked(
        "Written down: {n} × {title}. This phone does not know the code; the server will say."
    ),
    "count-closed": marked("Written down. Its differences are booked when it is sent, or wait for approval."),
    "unknown-here": marked("Not known on this phone"),
    "how-many": marked("Say how many, as a number."),
    "by": marked("by {at}"),
    "brought": marked("with the customer {since}–{until}"),
    "pieces": marked("pieces: {n}"),
    "has-it": marked("{name} has it"),
    "bin": marked("Bin {bin}"),
    "scan-pick": marked("Scan what you have in the hand"),
    "scan-pack": marked("Scan each piece into the parcel"),
    "have-all": marked("I have all"),
    "put-back": marked("Put back"),
    "not-in-order": marked("This is not in the order."),
    "enough": marked("There are enough of it already."),
    "choose-pieces": marked("Choose at least one piece."),
    "given-up": marked("Written down. Another place gets it when it is sent, or the customer is asked."),
    "state-open": marked("To pick"),
    "state-picking": marked("Being picked"),
    "state-picked": marked("Picked"),
    "state-packed": marked("Packed"),
    "state-given-up": marked("Given up here"),
    "transfer": marked("Transfer"),
    "purchase": marked("Purchase order"),
    "lot": marked("Lot {lot}"),
    "expected": marked("expected: {n}"),
    "as-scanned": marked("as it was scanned"),
    "came-of": marked("Came of {title}"),
    "not-among": marked("This is not among what is to come. Receive it as goods of its own, with a network."),
    "nothing-came": marked("Scan what came, or say how many."),
    "booked": marked("Written down. It is booked in when it is sent."),
    "booked-unsent": marked(
        "Written down and not sent yet: {n}. It is still among what is to come until then."
    ),
    "not-taken": marked("The server does not take this at all. It stays here; tell whoever looks after it."),
    "imported": marked("Entries that were not here before: {n}"),
    "not-imported": marked("This is no file of store work at this place."),
    **{f"did-{kind}": text for kind, text in KINDS.items()},
    "storage-lost": marked(
        "The browser has thrown away what this phone had kept: not sent were {n} entries ({numbers}). Do that work again."
    ),
    "storage-was-gone": marked(
        "The browser has thrown away what this phone had kept. Everything had been sent."
    ),
    "storage-low": marked("This phone runs full ({mb} MB left). Send what waits, and make room."),
    "storage-kept": marked("The browser keeps what is written here."),
    "storage-not-kept": marked(
        "The browser may throw away what is written here when it needs room: send soon."
    ),
    "storage-left": marked("{mb} MB left."),
}
