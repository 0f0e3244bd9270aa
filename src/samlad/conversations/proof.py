"""Whether our own mail server says that a mail is from whom it says (``Authentication-Results``, RFC 8601). Pure.

Anybody can write such a header; only that of the configured authserv-id counts, as a mail server takes away what strangers
wrote under its own name (RFC 8601 §5). Should one slip through all the same: where DMARC passed and failed, it failed.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

MOST_RESULTS, LONGEST = 40, 4_000
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[;=]|[^\s;="]+')
_METHOD = re.compile(r"[a-z0-9][a-z0-9-]*")
_PASS, _FAIL = "pass", ("fail", "permerror")


class Result(msgspec.Struct, frozen=True):
    """What a method found: ``spf``, ``dkim`` or ``dmarc``, and the properties that it looked at (``header.d``)."""

    method: str
    found: str
    properties: dict[str, str]


def is_proved(headers: Sequence[str], authserv_id: str, sender: str) -> bool:
    """Whether a mail is proved to be from the domain of its sender: DMARC passed, or DKIM or SPF for that domain.

    Args:
        headers: values of the headers ``Authentication-Results``, as they came.
        authserv_id: the name under which our mail server writes; its case does not count.
        sender: the address in From.
    """
    domain = sender.rpartition("@")[2].lower()
    results = [each for value in headers for each in _results(value, authserv_id)]
    dmarc = [
        each for each in results if each.method == "dmarc" and _of(each, ("header.from",), domain, bare=True)
    ]
    if any(each.found in _FAIL for each in dmarc):
        return False
    if any(each.found == _PASS for each in dmarc):
        return True
    # Without a policy of the domain: whatever is aligned with it, as DMARC would (RFC 7489 §3.1, relaxed).
    return any(
        each.found == _PASS
        and (
            (each.method == "dkim" and _of(each, ("header.d", "header.i"), domain))
            or (each.method == "spf" and _of(each, ("smtp.mailfrom",), domain))
        )
        for each in results
    )


def _of(result: Result, names: tuple[str, ...], domain: str, *, bare: bool = False) -> bool:
    """Whether the first of these properties that is there is of a domain, or of one above or below it; ``bare``: or none is."""
    for name in names:
        if name in result.properties:
            said = result.properties[name].rpartition("@")[2].lower().rstrip(".")
            return said == domain or (
                "." in said and (domain.endswith(f".{said}") or said.endswith(f".{domain}"))
            )
    return bare


def _results(value: str, authserv_id: str) -> Iterator[Result]:
    """The results of one header; none if it is another's."""
    tokens = _TOKENS.findall(_without_comments(value[:LONGEST]))
    if not authserv_id or not tokens or _word(tokens[0]).lower() != authserv_id.lower():
        return
    parts: list[list[str]] = [[]]
    for each in tokens[1:]:
        if each == ";":
            parts.append([])
        else:
            parts[-1].append(each)
    for part in parts[1 : 1 + MOST_RESULTS]:
        said = dict(_pairs(part))
        first = next(iter(said), "")
        method = first.partition("/")[0].strip()
        if _METHOD.fullmatch(method):
            yield Result(method, said.pop(first).lower(), said)


def _pairs(tokens: list[str]) -> Iterator[tuple[str, str]]:
    """``name = value`` one after the other; of a name that comes twice the first counts."""
    told = set()
    for place in range(1, len(tokens) - 1):
        name = tokens[place - 1].lower()
        if tokens[place] == "=" and name not in told:
            told.add(name)
            yield name, _word(tokens[place + 1])


def _word(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def _without_comments(value: str) -> str:
    """A header's value without what stands in parentheses, which may hold others; in quotes they are none."""
    kept, depth, is_quoted, is_escaped = [], 0, False, False
    for char in value:
        if is_escaped:
            is_escaped = False
        elif char == "\\":
            is_escaped = True
        elif char == '"' and not depth:
            is_quoted = not is_quoted
        elif char == "(" and not is_quoted:
            depth += 1
        elif char == ")" and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(char)
    return "".join(kept)
