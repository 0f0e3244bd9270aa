"""What the script of the till without network says, by the name that it knows it by; ``{n}`` and others are filled in there."""

from samlad.faces.objections import OBJECTIONS
from samlad.kernel.i18n import marked

DAY_WORDS = {
    "clerk-on": marked("{name} is on."),
    "clerk-wrong": marked("That did not work. Look at the name and type the PIN again, or scan the badge."),
    "clerk-wait": marked("Too many tries. Wait {n} seconds, or let a colleague go on."),
    "clerks-none": marked("This till knows nobody’s PIN or badge yet."),
    "pin-of": marked("PIN of {name}"),
    "pin-not-long": marked(
        "This till does not know the PIN of {name} without network: only PINs of six digits and more that were chosen or used lately. Scan the badge, or choose a longer PIN on the profile page when there is a network."
    ),
    "pin-not-none": marked(
        "This till knows no PINs without network. {name} can go on by badge, or when there is a network."
    ),
    "pin-not-all": marked(
        "This till does not know a PIN of {name} without network. Scan the badge, or go on by PIN once when there is a network."
    ),
    "may-not-locked": marked(
        "Nobody is on here: this till sells, and no more until somebody goes on by badge or with a network."
    ),
    "badge": marked("Scan a badge"),
    "may-not": marked("{name} may not do this. Let a colleague go on who may."),
    "do-it": marked("Do it"),
    "loading": marked("Articles are being loaded: {n}"),
    "fill-in": marked("Please fill this in."),
    "choose": marked("Choose one below."),
    "look-up": marked("Look it up"),
    "reason": marked("Why"),
    "written-down": marked("It is written down."),
    "no-lines": marked("Nothing on the ticket yet."),
    "customer": marked("Customer"),
    "customer-note": marked(
        "Members who were in this store lately. Scan their code, or type a phone number or a part of the name."
    ),
    "customer-find": marked("Code, phone number or name"),
    "customer-is": marked("The ticket is {name}’s. Points come when it is sent."),
    "customer-none": marked("Nobody: take the customer off the ticket"),
    "customer-off": marked("The ticket is nobody’s."),
    "customer-new": marked("New customer"),
    "customer-new-note": marked(
        "They become a customer when the sale is sent. Who is known by the address or the number already is found then."
    ),
    "customer-name": marked("Name"),
    "customer-email": marked("E-mail"),
    "customer-phone": marked("Phone"),
    "customer-put": marked("Put on the ticket"),
    "customer-no-email": marked("That is no e-mail address."),
    "customer-needs": marked("The e-mail address or the number is enough; a number needs a name."),
    "customer-unknown": marked(
        "This member is not known here without network. Write the number down: points can be given later."
    ),
    "no-people": marked("This till carries no customers now: sign in with a network once."),
    "code": marked("Code of a promotion"),
    "code-note": marked("Codes that may be used only so often, and gift cards, need the network."),
    "code-field": marked("Code"),
    "code-use": marked("Use it"),
    "code-taken": marked("The code is used."),
    "code-waits": marked("The code is on the ticket; nothing on it is reduced by it yet."),
    "code-offline": marked("Not known here. It may be a code that needs the network."),
    "code-unknown": marked("There is no such code."),
    "gift-card-offline": marked(
        "A gift card cannot be taken without network: what is on it is only known there. Take another payment, or park the sale."
    ),
    "gift-card": marked("Gift card"),
    "gift-card-note": marked(
        "Without network only a card that was looked up in this store before, and at most {limit} of it."
    ),
    "gift-card-code": marked("Code of the gift card"),
    "gift-card-take": marked("Take it"),
    "gift-card-wrong": marked("This is no code of a gift card. Look at it once more."),
    "gift-card-once": marked("This card is on the ticket already, or something is paid."),
    "gift-card-unknown": marked(
        "This card is not known here without network. Take another payment, or park the sale."
    ),
    "gift-card-empty": marked("Nothing more can be taken of this card without network."),
    "gift-card-no-card": marked("A gift card is not paid with a gift card without network."),
    "gift-card-sell": marked("Sell a gift card"),
    "gift-card-sell-note": marked(
        "Scan the printed number. The card can be used once this sale is sent: say so to the customer."
    ),
    "gift-card-amount": marked("Worth"),
    "gift-card-put": marked("Put it on the ticket"),
    "gift-card-on": marked("Gift card ···· {four}: {amount}"),
    "gift-card-off": marked("Take off: gift card ···· {four}, {amount}"),
    "gift-card-line": marked("Gift card ···· {four}, good once it is sent"),
    "discount": marked("Take something off"),
    "discount-note": marked(
        "Write 10%, an amount, or = and a new price of a piece. Alone you may give {percent}%."
    ),
    "discount-value": marked("How much"),
    "discount-allowed": marked("Who allowed it, if it is more"),
    "discount-all": marked("Off the whole sale"),
    "discount-none": marked("Without discounts"),
    "discount-wrong": marked("Write 10%, an amount, or = and a price for one line."),
    "discount-why": marked("Say why."),
    "discount-nothing": marked("That takes nothing off."),
    "discount-over": marked(
        "{amount} is more than you may give alone. Write who allowed it; it comes to the manager’s list."
    ),
    "discount-given": marked("{amount} off."),
    "parked": marked("Parked sales"),
    "parked-none": marked("None is parked on this device."),
    "parked-pieces": marked("Pieces: {n}"),
    "parked-gone": marked("This sale is gone."),
    "park": marked("Park this one"),
    "park-label": marked("What to call it"),
    "pick-ups": marked("Pick-ups"),
    "pick-ups-note": marked("Type the code, or choose an order and write what you checked."),
    "pick-ups-none": marked("Nothing that this till knows of waits here."),
    "pick-up-code": marked("Code of the customer"),
    "pick-up-checked": marked("Without a code: what you checked"),
    "pick-up-wrong": marked("This is another code."),
    "pick-up-how": marked("Without a code, say how you know that it is theirs."),
    "picked-up": marked("{number} is handed over. It is sent when there is a network."),
    "returns": marked("Goods that come back"),
    "returns-note": marked(
        "Receipts of this store from the last 30 days that were paid in cash, and codes that a till of this store has signed. Money of a card goes back with a network only."
    ),
    "receipt-number": marked("Number on the receipt, or its code"),
    "returns-unknown": marked("This till does not know this receipt without network."),
    "signed-forged": marked("No till of ours has signed this code, or it was changed."),
    "signed-key": marked(
        "This till does not know the key that signed receipt {number}: it is of another store, or newer than what this till has loaded."
    ),
    "signed-tls": marked("Codes cannot be checked in this browser: the till was not opened with https."),
    "signed-revoked": marked("The key that signed receipt {number} was taken back: it cannot be relied on."),
    "signed-replaced": marked(
        "Receipt {number} was signed with a key that its till no longer used then: it cannot be relied on."
    ),
    "signed-currency": marked("Receipt {number} is in another currency than this store’s."),
    "signed-not-cash": marked(
        "This receipt was not paid in cash alone. Money of a card goes back with a network only."
    ),
    "signed-all-back": marked("All that can come back of this receipt has come back here."),
    "signed-good": marked(
        "A till of this store signed it on {at}: {total}, of which {left} can still go back. What is on it this till does not know yet: read it off the paper, and take back only what was paid in cash."
    ),
    "signed-code": marked("What comes back: scan it, or type its number"),
    "signed-quantity": marked("How much of it"),
    "signed-amount": marked("What the receipt says was paid for it"),
    "signed-add": marked("Add it"),
    "signed-off": marked("Take off: {title}"),
    "signed-no-goods": marked("Nothing has this code."),
    "signed-how-many": marked("Write how much comes back."),
    "signed-how-much": marked("Write what the receipt says was paid for it."),
    "signed-too-much": marked("At most {amount} of this receipt can still go back."),
    "without": marked("Go on without a receipt"),
    "without-may": marked("You can go on without a receipt: it becomes store credit."),
    "without-may-not": marked(
        "Without a receipt somebody has to go on who may do more here, or the customer comes back when there is a network."
    ),
    "without-whose": marked(
        "What it is worth becomes store credit of a member. Scan their code, or type a phone number or a part of the name."
    ),
    "without-of": marked("Without a receipt, for {name}"),
    "without-note": marked(
        "Nothing is paid out. What it is worth is reckoned when it is sent: the lowest price of some days."
    ),
    "without-done": marked("Taken back. {name} has it as store credit once it is sent."),
    "returns-of": marked("Receipt {number}"),
    "returns-how-many": marked("How many of each come back"),
    "returns-left": marked("at most {n}"),
    "take-back": marked("Take back"),
    "returns-too-many": marked("So many of {title} are not on this receipt."),
    "returns-nothing": marked("Say first what comes back."),
    "give-back": marked("Give back {amount} in cash."),
    "drawer": marked("Drawer"),
    "drawer-of": marked("Drawer {name}"),
    "drawer-note": marked("What is rung up from now on belongs to this drawer."),
    "drawer-name": marked("Name of the drawer"),
    "drawer-amount": marked("Cash in it now"),
    "drawer-open": marked("Open it"),
    "drawer-use": marked("Drawer {name} is open: use it"),
    "drawer-is-open": marked("Drawer {name} is open."),
    "drawer-move-note": marked("Put cash in, or take it out with a minus."),
    "drawer-move-amount": marked("Amount"),
    "drawer-move": marked("Write it down"),
    "x-report": marked("X report: what was rung up so far"),
    "x-report-of": marked("X report of drawer {name}"),
    "x-report-note": marked(
        "What this device has rung up in it. What should be in the drawer is shown after it was counted."
    ),
    "paid-first": marked(
        "Something is paid on this ticket already: finish it, or take the payments off first."
    ),
    "unpaid": marked("No longer paid: {what}. Give back what the customer has given."),
    "drawer-count": marked("Count and close"),
    "drawer-count-note": marked("How many pieces of each are in it"),
    "drawer-taken": marked("Taken out now"),
    "drawer-taken-wrong": marked("At most what was counted."),
    "drawer-wrong": marked("Write a whole number of {piece}."),
    "drawer-close": marked("Close it"),
    "report": marked("Drawer {name} is closed"),
    "report-note": marked("What this device knows. The Z report is made when it is sent."),
    "report-sales": marked("Number of sales"),
    "report-tips": marked("of which tips"),
    "report-back": marked("Given back"),
    "report-moved": marked("Put in and taken out"),
    "report-counted": marked("Counted"),
    "report-difference": marked("Difference"),
    "storage-lost": marked(
        "This device has lost what it had stored: {n} entries had not been sent, the last numbers are {numbers}. The manager is told. Bring in a backup file if there is one."
    ),
    "storage-was-gone": marked("This device had lost what it had stored. Everything had been sent before."),
    "storage-low": marked(
        "Only {mb} MB are left on this device. Free some room soon: without it nothing more can be sold."
    ),
    "storage-kept": marked("The browser keeps what is stored here."),
    "storage-not-kept": marked(
        "The browser may throw away what is stored here: send often, export the journal."
    ),
    "storage-left": marked("{mb} MB are free."),
    "state-done": marked("Sent"),
    "kind-return": marked("Taken back"),
    "kind-return-unknown": marked("Taken back without a receipt"),
    "kind-pick-up": marked("Handed over"),
    "kind-drawer-open": marked("Drawer opened"),
    "kind-drawer-move": marked("Cash in or out"),
    "kind-drawer-close": marked("Drawer counted"),
}
"""What the dialogs say that a whole day without network needs."""

WORDS = {
    **DAY_WORDS,
    "unsent": marked("Not sent yet: {n}"),
    "net-online": marked("Online"),
    "net-network": marked("No network: go on selling"),
    "net-sign-in": marked("Not signed in: go on selling"),
    "back-sending": marked("Sales are being sent: {n} left."),
    "back-sent": marked("Everything is sent."),
    "weigh-gross": marked("What the scale shows, {unit}"),
    "weigh-how-much": marked("How much, {unit}"),
    "weigh-tare": marked("Packaging (tare), {unit}"),
    "weigh-take": marked("Put it on the ticket"),
    "weigh-wrong": marked(
        "Write how much in {unit}, for example 0.750: more than the packaging, at most 9.999."
    ),
    "weigh-wrong-digit": marked("The price or weight in this code does not fit its check digit. Type it."),
    "weigh-again": marked("{amount} of {title}: change it"),
    "expired": marked("Its last day was {day}. Look whether it may still be sold."),
    "here": marked("{n} here"),
    "beyond": marked("Only {n} in the books: sell what is in hand"),
    "unleased": marked("{n} here when last heard of"),
    "pieces": marked("Pieces of {title}"),
    "lots": marked("Lot or serial number: {codes}"),
    "serial": marked("Serial number {codes}"),
    "twice": marked("Piece {code} is on the ticket already. Scan another, or raise the number of pieces."),
    "remove": marked("Remove {title}"),
    "found": marked("Found: {n}"),
    "nothing": marked(
        "Nothing found for “{text}”. Look at the number on the label, or try a part of the name."
    ),
    "tax": marked("{tax} tax ({rate})"),
    "tax-on": marked("of which tax {rate} on {net}"),
    "tip": marked("Tip"),
    "no-tip": marked("No tip"),
    "with-tip": marked("with {amount} tip"),
    "wrong-tip": marked("A tip is at most as much as the ticket."),
    "paid": marked("Paid so far: {amount}"),
    "total": marked("Total"),
    "rounding": marked("Rounding"),
    "pay-cash": marked("Cash"),
    "pay-card": marked("Card"),
    "pay-other": marked("Another way to pay"),
    "pay-card-note": marked("Take the card at its own terminal. Go on once it was accepted there."),
    "pay-other-note": marked("Go on once you have it."),
    "rounded": marked("{exact}, rounded to what coins can pay"),
    "wrong-amount": marked("Write an amount that fits what there is to pay."),
    "by-cash": marked("Cash"),
    "by-card": marked("Card"),
    "by-gift": marked("Gift card"),
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
