"""The normal form of identifiers, names and addresses: what is compared, never what is shown."""

import re
import unicodedata
from collections.abc import Sequence

import idna
import phonenumbers
from anyascii import anyascii

from samlad.identity.model import Kind
from samlad.kernel.remembering import remembered

LONGEST = 500
"""Characters of an identifier; what is longer is none."""

# What programs send when they have nothing: the lists of Segment (Unify, blocked values) and of PostHog (illegal
# ids), and what clients were seen to send (`analytics-react-native` 439).
_NOTHING = frozenset(
    {
        "-1",
        "0",
        "00000000-0000-0000-0000-000000000000",
        "[object object]",
        "anonymous",
        "anonymous_id",
        "anonymousid",
        "distinct_id",
        "distinctid",
        "email",
        "false",
        "guest",
        "id",
        "n/a",
        "na",
        "nan",
        "nil",
        "no-reply@example.com",
        "none",
        "not_authenticated",
        "null",
        "true",
        "undefined",
        "unknown",
        "user_id",
        "userid",
    }
)
_ZEROS = re.compile(r"[0\W_]*")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
_CASE_MATTERS = frozenset(
    {Kind.LOGIN, Kind.EXTERNAL_ID, Kind.LOYALTY, Kind.HANDLE, Kind.DEVICE, Kind.ANONYMOUS}
)


def identifier(kind: Kind, text: str, country: str | None = None) -> str | None:
    """An identifier as it is kept; None if it is none: empty, nobody's, or not what its kind must be.

    ``country`` (ISO 3166-1 alpha-2) is where a phone number without its country's code is from.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain or len(plain) > LONGEST or plain.casefold() in _NOTHING or _ZEROS.fullmatch(plain):
        return None
    if not plain.isprintable():
        return None
    if kind == Kind.EMAIL:
        return email(plain)
    if kind == Kind.PHONE:
        return phone(plain, country)
    return plain if kind in _CASE_MATTERS else plain.casefold()


def email(text: str) -> str | None:
    """An e-mail address: NFKC, lower case, its domain in ASCII (IDNA 2008); None if it is none.

    By the standard what stands before the @ could differ by case; no provider does that.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if _EMAIL.fullmatch(plain) is None:
        return None
    local, _, name = plain.rpartition("@")
    domain = _domain(name)
    return None if domain is None else f"{local}@{domain}"


@remembered(most=10_000, seconds=60.0)
def _domain(name: str) -> str | None:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None


def local_part(address: str) -> str:
    """What stands before the @, without what follows a plus."""
    return address.rpartition("@")[0].partition("+")[0]


def alias_of(address: str, plus_domains: Sequence[str], dot_domains: Sequence[str]) -> str:
    """The mailbox behind an address in its normal form, as providers are said to deliver."""
    local, _, domain = address.rpartition("@")
    if "*" in plus_domains or domain in plus_domains:
        local = local.partition("+")[0] or local
    if "*" in dot_domains or domain in dot_domains:
        local = local.replace(".", "")
        domain = "gmail.com" if domain == "googlemail.com" else domain  # one provider by two names
    return f"{local}@{domain}"


def phone(text: str, country: str | None = None) -> str | None:
    """A phone number in E.164; None if it cannot be one."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def name(text: str) -> str:
    """A name for comparing: NFKC, without case, in Latin letters, its parts in order of the alphabet.

    ``Åsa Öberg``, ``ÖBERG, Åsa`` and ``Asa Oberg`` are one; so are ``Иван`` and ``Ivan``.
    """
    latin = anyascii(unicodedata.normalize("NFKC", text)).casefold()
    return " ".join(sorted(re.findall(r"[a-z0-9]+", latin)))


# The words of streets and what they are shortened to, by country.
_STREETS: dict[str, dict[str, str]] = {
    "SE": {"gatan": "g", "gata": "g", "vägen": "v", "väg": "v"},
    "NL": {"straat": "str", "laan": "ln", "plein": "pl"},
    "DE": {"straße": "str", "strasse": "str", "platz": "pl"},
    "AT": {"straße": "str", "strasse": "str", "platz": "pl"},
    "GB": {"street": "st", "road": "rd", "avenue": "ave", "lane": "ln"},
    "US": {"street": "st", "road": "rd", "avenue": "ave", "lane": "ln", "boulevard": "blvd"},
    "FR": {"avenue": "av", "boulevard": "bd"},
}


def address(street: str, postcode: str, country: str) -> str:
    """A postal address for comparing: the country, the postcode without blanks, the street in its shortest form."""
    low = unicodedata.normalize("NFKC", street).casefold()
    for long, short in _STREETS.get(country, {}).items():
        low = re.sub(rf"{long.casefold()}\b\.?", short, low)
    words = re.findall(r"[a-z0-9]+", anyascii(low).casefold())
    code = re.sub(r"[^a-z0-9]", "", anyascii(postcode).casefold())
    return f"{country}|{code}|{''.join(words)}"
