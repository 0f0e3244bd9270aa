"""Which of several values a profile shows, field by field. All are kept, with who said them and when."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from samlad.identity import normalising
from samlad.identity.model import Field, FieldValue, How, Rules


def reconcile(values: Sequence[FieldValue], field: str, rules: Rules) -> Field:
    """One field of a profile. What was emptied does not count, and of each customer only what its source said last,
    but for the most frequent, for which all that was ever said counts."""
    mine = sorted(
        (v for v in values if v.field == field), key=lambda v: (v.observed_at, v.event_id), reverse=True
    )
    last: dict[tuple[UUID, str], FieldValue] = {}
    for value in mine:
        last.setdefault((value.customer, value.source), value)
    now = [value for value in last.values() if value.value is not None]
    how = rules.how(field)
    return Field(value=_chosen(now, mine, how, rules), how=how, values=mine)


def _chosen(now: Sequence[FieldValue], ever: Sequence[FieldValue], how: How, rules: Rules) -> str | None:
    if not now:
        return None
    if how == How.NEVER:
        return now[0].value if len({_form(value) for value in now}) == 1 else None
    if how == How.SOURCE_ORDER:
        places = {source: place for place, source in enumerate(rules.source_order)}
        return min(now, key=lambda value: places.get(value.source, len(places))).value
    if how == How.MOST_FREQUENT:
        counts = Counter(_form(value) for value in ever if value.value is not None)
        return max(now, key=lambda value: (counts[_form(value)], value.observed_at, value.event_id)).value
    return now[0].value


def _form(value: FieldValue) -> str:
    """Spellings of the same count as the same."""
    text = value.value or ""
    if value.field == "name":
        return normalising.name(text) or text
    if value.field == "email":
        return normalising.email(text) or text
    if value.field == "phone":
        return normalising.phone(text) or text
    return text.casefold()
