"""The banner of cookies: what a browser may be asked, and its answer, kept in a cookie and in the ledger of consent."""

import re
from typing import Any
from uuid import UUID

from litestar import Response, post

from samlad import consent, identity
from samlad.channels import Channel, Resource
from samlad.consent import Answer, AnswerInput, Level
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, wordings
from samlad.faces.storefront.cookie_choices import choices
from samlad.faces.storefront.place import channel_of, shopper
from samlad.identity import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.ids import new_id

COOKIE = "consent"
KEPT_SECONDS = 365 * 86_400
_VALUE = re.compile(r"v1\.([0-9a-f-]{36})\.([a-z-]*)")
_ANALYTICS = "ajs_anonymous_id"
"""The cookie in which Segment's and compatible clients keep their anonymousId: who is measured is who has answered."""


@post("/consent", status_code=200)
async def answer(request: AnyRequest) -> Response[Any]:
    """What a browser agrees to, category by category; what is not named is denied."""
    limits.writes.check(limits.who(request))
    channel, form = await channel_of(request), await read_form(request)
    asked = [each.code for each in await choices(request) if not each.is_always]
    granted = [code for code in asked if code in form.all("category")]
    days = [each.days for each in await consent.purposes(database_of(request)) if each.code in granted]
    given = _VALUE.fullmatch(request.cookies.get(COOKIE) or "")
    told, texts = new_id(), await wordings.shown(database_of(request), form)
    answers = _answers(asked, granted, channel, told, texts)
    own = UUID(given[1]) if given and _is_uuid(given[1]) else new_id()

    async def work(tx: Tx) -> None:
        moment = now()
        ids = {str(own), (request.cookies.get(_ANALYTICS) or "").strip('"')[:100]} - {""}
        for value in sorted(ids):
            sighting = Sighting(
                pool=channel.pools[Resource.CUSTOMERS],
                source="banner",
                event_id=str(told),
                observed_at=moment,
                received_at=moment,
                identifiers=[Identifier(Kind.ANONYMOUS, value)],
                channel=channel.id,
                auth=AuthLevel.CLAIMED,
            )
            node = (await identity.observe(tx, [sighting]))[0]
            if node is not None:
                await consent.record(
                    tx,
                    node,
                    answers,
                    level=Level.CLAIMED,
                    source="banner",
                )

    await database_of(request).transaction(work, shopper(request, channel))
    done: Response[Any] = Response({"granted": granted}, status_code=200)
    value = f"v1.{own}.{'-'.join(granted)}"
    # No longer than a yes holds in the ledger: then they are asked anew, and nothing runs before.
    kept = min([KEPT_SECONDS, *(each * 86_400 for each in days if each is not None)])
    cookie = face.own_cookie(request, COOKIE, value, kept)
    cookie.httponly = False  # the script must know before it lets others run
    done.set_cookie(cookie)
    return done


def granted(request: AnyRequest) -> list[str]:
    """The categories that this browser has agreed to."""
    given = _VALUE.fullmatch(request.cookies.get(COOKIE) or "")
    return given[2].split("-") if given else []


def _answers(
    asked: list[str], granted: list[str], channel: Channel, told: UUID, texts: dict[str, UUID]
) -> list[AnswerInput]:
    return [
        AnswerInput(
            purpose=code,
            answer=Answer.GRANTED if code in granted else Answer.DENIED,
            text=texts.get(code),
            channel=channel.id,
            event_id=str(told),
        )
        for code in asked
    ]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


handlers = [answer]
