"""Which words of a purpose somebody was shown, as the form that they sent says: it may have been open while they were changed."""

from uuid import UUID

from samlad import consent
from samlad.faces.form import Form
from samlad.kernel.database import Reader

FIELD = "wording"


async def shown(reader: Reader, form: Form) -> dict[str, UUID]:
    """Ids of wordings by purpose, of those that there are. A purpose without one was asked for in words of the page itself."""
    given = set(form.all(FIELD))
    if not given:
        return {}
    return {each.purpose: each.id for each in await consent.texts_of(reader) if str(each.id) in given}
