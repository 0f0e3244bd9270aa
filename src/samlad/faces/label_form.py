"""The form that price tags are asked for with: the same in the admin and at the till."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response

from samlad import labels
from samlad.catalog import categories
from samlad.channels import Channel, Resource
from samlad.faces import page as face
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput
from samlad.labels import LabelRun, LabelRunInput
from samlad.labels.api import file_answer

MOST_RUNS = 10
SHEETS = {
    "a4-3x8": marked("A4, 3 × 8: 70 × 37 mm"),
    "a4-3x7": marked("A4, 3 × 7: 63.5 × 38.1 mm"),
    "a4-2x7": marked("A4, 2 × 7: 99.1 × 38.1 mm"),
    "a4-2x4": marked("A4, 2 × 4: 105 × 74 mm"),
    "a4-5x13": marked("A4, 5 × 13: 38.1 × 21.2 mm, without a QR code"),
    "roll-58x40": marked("Roll: 58 × 40 mm"),
}
STATES = {
    "waiting": (marked("Being made"), ""),
    "ready": (marked("Ready"), "success"),
    "failed": (marked("Not made"), "danger"),
}


def fresh(**values: str) -> Form:
    """The form as it is shown first."""
    shown = {"id": str(new_id()), "template": "a4-3x8", "form": "pdf", "copies": "1", "skip": "0"}
    return Form.of(**{**shown, **values}, with_qr=True)


async def context_of(request: AnyRequest, channel: Channel, form: Form) -> dict[str, Any]:
    """What `design/label_form.html` and `design/label_runs.html` need."""
    _, database = face.words(request), database_of(request)
    query = ListQuery(limit=MOST_RUNS, filters={"channel": str(channel.id)})
    return {
        "form": form,
        "runs": (await labels.RUNS.page(database, query)).items,
        "run_states": {state: (_(text), kind) for state, (text, kind) in STATES.items()},
        "run_reason": _,
        "sheets": [(name, _(text)) for name, text in SHEETS.items()],
        "label_categories": [
            ("", _("All")),
            *(
                (one.path, one.name)
                for one in await categories.tree(database, channel.pools[Resource.CATALOGUE])
            ),
        ],
        "may_make": actor_of(request).may(labels.MAKE),
    }


async def ask(request: AnyRequest, channel: Channel, form: Form) -> LabelRun:
    """What was chosen as a run.

    Raises:
        InvalidInput: at the field that does not fit.
    """
    data = form.into(
        LabelRunInput,
        channel=str(channel.id),
        picks=[{"code": pick.code, "copies": pick.copies} for pick in labels.picks(form.get("picks"))],
        changed_since=_moment(form, channel),
        with_qr=form.has("with_qr"),
        copies=form.whole("copies") or 1,
        skip=form.whole("skip") or 0,
    )
    return await face.change(request, lambda tx: labels.ask(tx, data))


def _moment(form: Form, channel: Channel) -> datetime | None:
    """The beginning of a day on the channel's clock."""
    text = form.text("changed_since")
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at("changed_since", form.translate(marked("Please write a day."))) from None
    return datetime.combine(day, time(), ZoneInfo(channel.time_zone)).astimezone(UTC)


async def file_of(request: AnyRequest, run_id: UUID) -> Response[Any]:
    """The file of a run."""
    actor_of(request).require(labels.READ)
    return file_answer(*await labels.content(database_of(request), run_id))
