"""What somebody wrote in a mail, without what their program quoted under or over it. Pure, and each line is looked at once.

Nothing is guessed from words of greeting: what a person typed stays, their name under it too. Cut off is what is marked: lines that
begin with ``>``, what stands under our own line (`LINE`), the heads that Outlook puts over what it quotes, and a signature
after ``-- `` (RFC 3676). `docs/decisions/mail-replies.md` says why no library does this.
"""

import re

from samlad.kernel.i18n import marked

LINE = marked("##- Please write your answer above this line -##")
"""Stands over every answer that we send, in each language between the same signs."""
_LINE = re.compile(r"##-.{1,120}-##")
_DASHES = re.compile(r"-{4,} ?[^-]{3,40} ?-{4,}")
_FIELD = re.compile(r"\*?([^\W\d_]{2,12}) ?:\*? ?\S")
_FROM = frozenset(
    [
        "from",
        "von",
        "van",
        "från",
        "fra",
        "de",
        "da",
        "od",
        "lähettäjä",
        "feladó",
        "från",
        "afsender",
        "avsender",
        "expéditeur",
        "mittente",
        "remitente",
        "kimden",
        "из",
        "от",
        "від",
        "من",
    ]
)
_FIELDS = 3
"""So many lines such as ``Sent: …`` in a row, the first of which is a sender, are the head of a quoted mail."""
_DEVICE = re.compile(
    r"(sent from|sent with|get outlook for|skickat från|hämta outlook|verstuurd vanaf|verzonden vanuit|outlook voor|gesendet von|von meinem"
    r"|sendt fra|envoyé de|enviado desde|inviato da|lähetetty|wysłano z|أُرسلت من|أرسلت من|تم الإرسال من|مرسل من)\b.{0,80}",
    re.IGNORECASE,
)
_LONGEST_LINE = 400
"""Longer lines are prose and not looked at for marks."""


def written(text: str) -> str:
    """What is new in a text. If all of it is quoted, all of it: nothing that somebody sent is lost to a rule."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    own = _without_device(_without_quotes(_without_signature(lines)))
    return "\n".join(own).strip() or "\n".join(lines).strip()


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


def _without_signature(lines: list[str]) -> list[str]:
    """What stands between ``-- `` and the end, or the first quoted line."""
    for at, line in enumerate(lines):
        if line == "--":
            rest = next((n for n in range(at, len(lines)) if _is_quoted(lines[n])), len(lines))
            return lines[:at] + lines[rest:]
    return lines


def _without_quotes(lines: list[str]) -> list[str]:
    first = next((at for at, line in enumerate(lines) if _is_quoted(line)), None)
    if first is None:
        end = next((at for at in range(len(lines)) if _quotes_from(lines, at)), len(lines))
        return _without_attribution(lines[:end]) if end < len(lines) else lines
    over = _without_attribution(lines[:first])
    after = next(
        (at for at in range(len(lines) - 1, first, -1) if lines[at] and not _is_quoted(lines[at])), None
    )
    if after is None:
        return over
    if any(over):  # answers between what they answer: without that nobody knows what they answer
        return lines
    return [line for line in lines[first:] if not _is_quoted(line)]


def _quotes_from(lines: list[str], at: int) -> bool:
    """Whether everything from this line on is quoted, though no line says so by itself."""
    line = lines[at].strip()
    if len(line) > _LONGEST_LINE:
        return False
    if _LINE.search(line) or _DASHES.fullmatch(line):
        return True
    head = _FIELD.match(line)
    if head is None or head[1].lower() not in _FROM:
        return False
    return all(
        _FIELD.match(each.strip()[:_LONGEST_LINE])
        for each in (lines[at : at + _FIELDS] + [""] * _FIELDS)[:_FIELDS]
    )


def _without_attribution(lines: list[str]) -> list[str]:
    """Without ``On …, Kim wrote:`` in any language: a short paragraph that ends with a colon and has a date or an address."""
    end = len(lines)
    while end and not lines[end - 1].strip("_ *"):
        end -= 1
    kept = lines[:end]
    if not kept or not kept[-1].rstrip().endswith((":", "：")):
        return kept
    begin = end
    while begin and lines[begin - 1].strip():
        begin -= 1
    paragraph = lines[begin:end]
    begin = begin if len(paragraph) <= _FIELDS else end - 1
    told = " ".join(lines[begin:end])
    return lines[:begin] if len(told) <= _LONGEST_LINE and re.search(r"[\d@<]", told) else kept


def _without_device(lines: list[str]) -> list[str]:
    """Without what a phone says of itself in the last line."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    if end and len(lines[end - 1]) <= _LONGEST_LINE and _DEVICE.fullmatch(lines[end - 1].strip()):
        return lines[: end - 1]
    return lines[:end]
