"""A strict reader of SIE 4, written from the standard (SIE filformat, utgåva 4B) and not from our writer.

The one reader on PyPI that we found (pysie-accounting 0.0.2) ignores series and objects and reads UTF-8; it cannot
tell whether a file is right.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

ONCE = ("FLAGGA", "PROGRAM", "FORMAT", "GEN", "SIETYP", "FNAMN", "VALUTA")


@dataclass
class Ver:
    series: str
    number: int
    day: date
    text: str
    lines: list[tuple[str, dict[int, str], Decimal]] = field(default_factory=list)


@dataclass
class Sie:
    labels: dict[str, list[list[str]]] = field(default_factory=dict)
    vouchers: list[Ver] = field(default_factory=list)

    def amounts(self, label: str) -> dict[str, Decimal]:
        return {row[1]: amount(row[2]) for row in self.labels.get(label, []) if row[0] == "0"}


def fields(text: str) -> list[str | dict[int, str]]:
    """The fields of a line: bare words, quoted texts with \\" inside, an object list in braces."""
    found: list[str | dict[int, str]] = []
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
        elif text[at] == "{":
            end = _closing(text, at)
            inner = fields(text[at + 1 : end])
            assert len(inner) % 2 == 0, text
            assert all(isinstance(each, str) for each in inner), text
            found.append({int(str(inner[n])): str(inner[n + 1]) for n in range(0, len(inner), 2)})
            at = end + 1
        elif text[at] == '"':
            value, at = _quoted(text, at + 1)
            found.append(value)
        else:
            end = at
            while end < len(text) and text[end] not in ' \t{}"':
                end += 1
            assert end > at, text
            found.append(text[at:end])
            at = end
    return found


def _quoted(text: str, at: int) -> tuple[str, int]:
    value = ""
    while text[at] != '"':
        if text[at] == "\\":
            at += 1
            assert text[at] == '"', "only a quotation mark is escaped"
        value += text[at]
        at += 1
    after = text[at + 1 : at + 2]
    assert after in ("", " ", "\t", "}"), "a field ends with its quotation mark"
    return value, at + 1


def _closing(text: str, at: int) -> int:
    at += 1
    while text[at] != "}":
        at = _quoted(text, at + 1)[1] if text[at] == '"' else at + 1
    return at


def day(text: str) -> date:
    assert re.fullmatch(r"\d{8}", text), text
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day


def amount(text: str) -> Decimal:
    assert re.fullmatch(r"-?\d+(\.\d{1,2})?", text), text
    return Decimal(text)


def read(raw: bytes) -> Sie:
    """Read a file, refusing whatever the standard does not allow."""
    assert not any((byte < 32 and byte not in (9, 10, 13)) or byte == 127 for byte in raw)
    text = raw.decode("cp437")
    assert text.endswith("\r\n")
    lines = text.split("\r\n")[:-1]
    assert not any("\n" in line or "\r" in line for line in lines)
    found, current, inside = Sie(), None, False
    assert lines[0].startswith("#FLAGGA ")
    for line in lines:
        if line == "{":
            assert current is not None
            assert not inside
            inside = True
            continue
        if line == "}":
            assert inside
            assert current is not None
            assert sum(each[2] for each in current.lines) == 0, f"{current.series}{current.number}"
            inside, current = False, None
            continue
        assert line.startswith("#"), line
        label, *values = fields(line[1:])
        assert isinstance(label, str)
        assert label == label.upper()
        if label == "TRANS":
            assert inside
            assert current is not None
            account, objects, value = values[:3]
            assert isinstance(account, str)
            assert isinstance(objects, dict)
            assert isinstance(value, str)
            current.lines.append((account, objects, amount(value)))
        elif label == "VER":
            assert current is None
            texts = [str(each) for each in values]
            current = Ver(texts[0], int(texts[1]), day(texts[2]), texts[3])
            found.vouchers.append(current)
        else:
            assert not found.vouchers, f"#{label} stands after vouchers"
            found.labels.setdefault(label, []).append([str(each) for each in values])
    assert current is None
    assert not inside
    _check(found)
    return found


def _check(found: Sie) -> None:
    for label in ONCE:
        assert len(found.labels.get(label, [])) == 1, label
    assert found.labels["FLAGGA"] == [["0"]]
    assert found.labels["FORMAT"] == [["PC8"]]
    assert found.labels["SIETYP"] == [["4"]]
    day(found.labels["GEN"][0][0])
    year = {row[0]: (day(row[1]), day(row[2])) for row in found.labels["RAR"]}["0"]
    accounts = {row[0] for row in found.labels["KONTO"]}
    assert all(account.isdecimal() for account in accounts)
    assert {row[0] for row in found.labels["KTYP"]} == accounts
    assert all(row[1] in "TSKI" for row in found.labels["KTYP"])
    dimensions = {int(row[0]) for row in found.labels["DIM"]}
    objects = {(int(row[0]), row[1]) for row in found.labels["OBJEKT"]}
    assert {dimension for dimension, _ in objects} <= dimensions
    seen: set[tuple[str, int]] = set()
    for ver in found.vouchers:
        assert year[0] <= ver.day <= year[1]
        assert (ver.series, ver.number) not in seen
        seen.add((ver.series, ver.number))
        for account, named, _value in ver.lines:
            assert account in accounts
            assert set(named.items()) <= objects
