"""What probable duplicates and their evidence are called on pages."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

status: Mapping[str, str] = {
    "open": marked("Waits"),
    "merged": marked("One person"),
    "apart": marked("Two people"),
}
comparison: Mapping[str, str] = {
    "given": marked("Given name"),
    "family": marked("Family name"),
    "email": marked("E-mail"),
    "phone": marked("Phone"),
    "address": marked("Address"),
}
level: Mapping[str, str] = {
    "same": marked("the same"),
    "swapped": marked("given and family name swapped"),
    "similar": marked("similar"),
    "same-mailbox": marked("the same before the @"),
    "same-postcode": marked("the same postcode"),
    "different": marked("different"),
    "unknown": marked("not known of both"),
}
state: Mapping[str, str] = {
    "waiting": marked("It begins in a moment."),
    "training": marked("Learning from all customers …"),
    "scoring": marked("Comparing all customers …"),
    "done": marked("Done."),
    "failed": marked("It failed, and is tried again a few times."),
}
