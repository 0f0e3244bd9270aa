"""What the faces themselves refuse, and what the ground below all verbs says where a page may show it. See `samlad.faces.refusals`."""

from samlad.kernel.i18n import marked

KERNEL = (
    marked("This needs the permission “%(permission)s”."),
    marked("This needs the permission “%(permission)s” at this location."),
    marked("This is the same for all places, and you are bound to some of them."),
    marked("looks like a card number; those are never taken here"),
    marked("Card numbers are typed into the payment provider's own page or terminal. Nothing was kept."),
    marked("The first request with this key has not ended. Try again in a moment."),
    marked("It may or may not have been done."),
    marked("A time limit of the database was reached: %(error)s."),
    marked("Others keep changing the same rows."),
    marked("The database cannot be reached."),
    marked("out of range"),
    marked("made for sort=%(sort)s; begin again without it"),
    marked("one of %(names)s, with - before it for descending"),
    marked("cannot be read: %(error)s"),
    marked("“%(amount)s” is not an amount; write for example 19.99"),
    marked("“%(amount)s” is finer than %(currency)s can be"),
)
FACES = (
    marked("this cannot be used as it is written"),
    marked("choose one"),
    marked("these are no orders"),
    marked("there is no such block"),
    marked("a day and a time, as 2026-12-01 08:00"),
    marked("Something on the page is not right."),
    marked("it is not in UTF-8: save it as “CSV UTF-8”"),
    marked("one condition at least"),
    marked("Name the shop first."),
    marked("The form cannot be read."),
    marked("The form has too many fields."),
    marked("Sign in to go on."),
    marked("This device is no kiosk."),
    marked("Choose a name and type the PIN, or scan a badge."),
    marked("The ticket has changed."),
    marked("It has arrived."),
    marked("say what is wished for"),
    marked("%(rest)s is left to pay."),
    marked("Other long lists are being read. Try again in a minute."),
    marked("The shop opens soon."),
)
COVERED = {"kernel": KERNEL, "faces": FACES}
