"""SIE 4, the Swedish exchange format of bookkeeping: lines of text in code page 437.

Source: *SIE filformat, utgåva 4B*, SIE-Gruppen (sie.se). What of it is used here is written beside each function.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from samlad.kernel.money import decimal_text

CRLF = "\r\n"
DIMENSIONS = {1: "Kostnadsställe", 20: "Kanal", 21: "Betalsätt", 22: "Momsregel"}
"""Dimension 1 is reserved for cost centres (our locations); those from 20 on are free (§ 8.2). 22 says by which
special rule a line is taxed: sales to businesses in the EU, reverse charge, export, one-stop shops, margin scheme."""
RULES = {
    "intra_eu": "Varor till annat EU-land, momsfri",
    "reverse_charge": "Omvänd betalningsskyldighet",
    "export": "Export",
    "oss": "OSS",
    "ioss": "IOSS",
    "margin": "Vinstmarginalbeskattning",
}

_REPLACED = {
    "–": "-",
    "—": "-",
    "−": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "…": "...",
    "€": "EUR",
    "•": "*",
    "Ø": "O",
    "ø": "o",
    "ß": "ss",
    "\u00a0": " ",
    "\u202f": " ",
}


def in_pc8(text: str) -> str:
    """A text as code page 437 can hold it: dashes, quotes and the euro are replaced, foreign letters lose their marks,
    what is left over becomes ``?``; control characters, which SIE forbids (§ 5.7), become spaces."""
    found = []
    for letter in unicodedata.normalize("NFC", text):
        if ord(letter) < 32 or ord(letter) == 127:
            found.append(" ")
            continue
        if letter in _REPLACED:
            found.append(_REPLACED[letter])
            continue
        found.append(letter if _fits(letter) else _plain(letter))
    return "".join(found)


def _fits(letter: str) -> bool:
    try:
        letter.encode("cp437")
    except UnicodeEncodeError:
        return False
    return True


def _plain(letter: str) -> str:
    bare = "".join(each for each in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(each))
    return bare if bare and all(_fits(each) and ord(each) >= 32 for each in bare) else "?"


def field(text: str) -> str:
    """A text field: always in quotation marks, those inside it with a backslash (§ 5.7). A backslash would be read as
    the beginning of such a mark, so it becomes a slash."""
    return '"' + in_pc8(text).replace("\\", "/").replace('"', '\\"') + '"'


def day(value: date) -> str:
    """A date: YYYYMMDD (§ 5.11)."""
    return f"{value:%Y%m%d}"


def amount(minor: int, currency: str) -> str:
    """An amount: a point, at most two decimals, a minus in front (§ 5.9)."""
    return decimal_text(minor, currency)


class Trans(msgspec.Struct, frozen=True):
    """A line of a voucher. ``objects`` are (dimension, object) pairs."""

    account: str
    objects: tuple[tuple[int, str], ...]
    amount: int
    text: str = ""


class Ver(msgspec.Struct, frozen=True):
    """A voucher."""

    series: str
    number: int
    day: date
    text: str
    registered: date
    lines: tuple[Trans, ...]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the vouchers. Balances are (account, minor units); ``year`` is the fiscal year's first and last day."""

    program: str
    version: str
    made: date
    company: str
    org_number: str
    year: tuple[date, date]
    currency: str
    accounts: Mapping[str, str]
    opening: Mapping[str, int]
    closing: Mapping[str, int]
    objects: Iterable[tuple[int, str, str]]


def account_type(number: str, country: str) -> str:
    """T asset, S debt, I income, K cost (§ 11, #KTYP): by the first digit, as in the BAS chart, or in the neutral one."""
    first = number[0]
    if first in "12":
        return "T" if first == "1" else "S"
    return "I" if first == ("3" if country == "SE" else "4") else "K"


def head(heading: Heading, country: str) -> list[str]:
    """The lines up to the first voucher, in the order that the standard asks for (§ 7)."""
    first, last = heading.year
    lines = [
        "#FLAGGA 0",
        f"#PROGRAM {field(heading.program)} {field(heading.version)}",
        "#FORMAT PC8",
        f"#GEN {day(heading.made)}",
        "#SIETYP 4",
    ]
    if heading.org_number:
        lines.append(f"#ORGNR {field(heading.org_number)}")
    lines += [
        f"#FNAMN {field(heading.company)}",
        f"#RAR 0 {day(first)} {day(last)}",
        *(["#KPTYP BAS2014"] if country == "SE" else []),
        f"#VALUTA {heading.currency}",
    ]
    for number, name in sorted(heading.accounts.items()):
        lines.append(f"#KONTO {number} {field(name)}")
        lines.append(f"#KTYP {number} {account_type(number, country)}")
    lines += [f"#DIM {number} {field(name)}" for number, name in DIMENSIONS.items()]
    lines += [f"#OBJEKT {dimension} {field(code)} {field(name)}" for dimension, code, name in heading.objects]
    for number in sorted(heading.accounts):
        if number[0] in "12":
            lines.append(f"#IB 0 {number} {amount(heading.opening.get(number, 0), heading.currency)}")
            lines.append(f"#UB 0 {number} {amount(heading.closing.get(number, 0), heading.currency)}")
        else:
            moved = heading.closing.get(number, 0) - heading.opening.get(number, 0)
            lines.append(f"#RES 0 {number} {amount(moved, heading.currency)}")
    return lines


def voucher(ver: Ver, currency: str) -> list[str]:
    """A voucher: #VER series number day text registered, then its lines in braces (§ 11, #VER and #TRANS)."""
    lines = [
        f"#VER {field(ver.series)} {ver.number} {day(ver.day)} {field(ver.text)} {day(ver.registered)}",
        "{",
    ]
    for line in ver.lines:
        objects = " ".join(f"{dimension} {field(code)}" for dimension, code in line.objects)
        text = f" {day(ver.day)} {field(line.text)}" if line.text else ""
        lines.append(f"#TRANS {line.account} {{{objects}}} {amount(line.amount, currency)}{text}")
    lines.append("}")
    return lines


def encoded(lines: Iterable[str]) -> bytes:
    """Lines as they stand in the file."""
    return "".join(f"{line}{CRLF}" for line in lines).encode("cp437")
