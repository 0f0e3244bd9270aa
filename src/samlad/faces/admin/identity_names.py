"""What conflicts, decisions and rules are called on the desk of identity."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

conflict_status: Mapping[str, str] = {
    "open": marked("Open"),
    "dismissed": marked("Looked at"),
    "settled": marked("Settled by itself"),
}
conflict_reason: Mapping[str, str] = {
    "limit": marked("Two values of which a person has one"),
    "weak": marked("Two known people, and anybody could have sent it"),
}
verdict: Mapping[str, str] = {
    "same": marked("They are one person"),
    "apart": marked("They are two people"),
    "dismiss": marked("There is nothing to do"),
}
decided: Mapping[str, str] = {
    "same": marked("They are one person from now on."),
    "apart": marked("They are two people from now on."),
}
status: Mapping[str, str] = {
    "draft": marked("Draft"),
    "active": marked("In force"),
    "retired": marked("Was in force"),
}
