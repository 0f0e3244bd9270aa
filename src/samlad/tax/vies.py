"""VIES, the EU's register of VAT numbers: its REST interface.

``POST …/check-vat-number`` with the number and, if the seller is registered itself, the requester's: only then does
VIES give a consultation number (``requestIdentifier``), the proof that it was asked. It asks the member state's own
register in turn, which is often busy or down: then it answers ``actionSucceed: false`` with codes such as
``MS_UNAVAILABLE``, ``MS_MAX_CONCURRENT_REQ`` or ``TIMEOUT``, sometimes with status 200. Source: the Commission's
"VIES REST API" technical documentation at ec.europa.eu/taxation_customs/vies.
"""

from typing import Any, Protocol

import msgspec

ADDRESS = "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"
CALL_SECONDS = 5.0
LARGEST_ANSWER = 64 * 1024
_NOTHING = frozenset({"", "---"})
"""How VIES writes what the member state does not tell."""


class ViesSilent(Exception):
    """VIES did not say whether the number is one; ``reason`` is its code, or what went wrong on the way."""


class ViesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What VIES said of a number."""

    is_valid: bool
    name: str | None = None
    address: str | None = None
    consultation: str | None = None


class Vies(Protocol):
    """Who can say whether a VAT number is one."""

    async def check(self, number: str, requester: str | None = None) -> ViesAnswer:
        """Whether a number (compact, with its country) is one; ``requester`` is the seller's own.

        Raises:
            ViesSilent: it is not known now. Ask later.
        """
        ...


class RestVies:
    """The Commission's service."""

    def __init__(self, address: str = ADDRESS, gate: Any = None) -> None:
        self._address = address
        self._gate = gate

    async def check(self, number: str, requester: str | None = None) -> ViesAnswer:
        """Ask the Commission's service, within `CALL_SECONDS`."""
        from samlad.kernel import outside  # late: only who asks loads the HTTP client

        gate = self._gate or outside.Gate(seconds=CALL_SECONDS, largest=LARGEST_ANSWER, redirects=0)
        question = {"countryCode": number[:2], "vatNumber": number[2:]}
        if requester is not None:
            question |= {"requesterMemberStateCode": requester[:2], "requesterNumber": requester[2:]}
        try:
            answer = await outside.post(self._address, msgspec.json.encode(question), gate)
            document = msgspec.json.decode(answer.content)
        except outside.OutsideError as error:
            raise ViesSilent(error.reason) from None
        except msgspec.DecodeError:
            raise ViesSilent("no JSON") from None
        return _read(document)


def _read(document: Any) -> ViesAnswer:
    """What an answer says. Whatever does not say plainly whether the number is valid says nothing."""
    if not isinstance(document, dict):
        raise ViesSilent("no JSON object")
    errors = document.get("errorWrappers")
    if document.get("actionSucceed") is False or errors:
        codes = [str(each.get("error")) for each in errors or () if isinstance(each, dict)]
        if codes == ["INVALID_INPUT"]:
            return ViesAnswer(is_valid=False)
        raise ViesSilent(", ".join(codes)[:200] or "an error without a code")
    is_valid = document.get("valid")
    if not isinstance(is_valid, bool):
        raise ViesSilent("it does not say whether the number is valid")
    return ViesAnswer(
        is_valid=is_valid,
        name=_text(document.get("name")),
        address=_text(document.get("address")),
        consultation=_text(document.get("requestIdentifier")),
    )


def _text(value: Any) -> str | None:
    text = str(value or "").strip()
    return None if text in _NOTHING else text[:500]
