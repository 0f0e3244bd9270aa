"""How often repeat orders come, in words; for staff and customers alike."""

from collections.abc import Callable, Mapping

from samlad.kernel.i18n import marked
from samlad.subscriptions import Terms

_EVERY: Mapping[str, tuple[str, str]] = {
    "day": (marked("every day"), marked("every %(num)s days")),
    "week": (marked("every week"), marked("every %(num)s weeks")),
    "month": (marked("every month"), marked("every %(num)s months")),
}


def every(translate: Callable[[str], str], terms: Terms) -> str:
    """How often it comes."""
    one, many = _EVERY[terms.unit]
    return translate(one) if terms.every == 1 else translate(many) % {"num": terms.every}
