"""Languages: which ones there are, how to choose one, how to translate and how to sort in it.

English is the source language: its texts are the message ids. Swedish and Dutch live in `samlad/locale/<locale>/LC_MESSAGES/samlad.po`
and are compiled in memory when first used. Two more are made at run time for tests and never stored: `en-XA` stretches and accents
every text (what stays plain was never marked for translation), `ar-XB` also runs from right to left.

In a checkout, `python -m samlad.kernel.i18n update` collects the messages of all templates and modules into the `.po` files and
says which still lack a translation; `… check` only says so, and exits 1 when there are any.
"""

from __future__ import annotations

import gettext
import io
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale, localedata
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = "en"
LOCALES = ("en", "sv", "nl")
PSEUDO = "en-XA"
PSEUDO_RTL = "ar-XB"

_PACKAGE = Path(__file__).resolve().parents[1]
_CATALOGUES = _PACKAGE / "locale"
_RTL_LANGUAGES = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


def marked(message: str) -> str:
    """The message itself: marks a text that is written here and translated where it is shown, with `_(variable)`."""
    return message


def formatting_locale(locale: str) -> Locale:
    """The CLDR locale that numbers, dates and money are written in; the pseudo locales write them as English does."""
    return Locale.parse(
        SOURCE if locale in {PSEUDO, PSEUDO_RTL} else locale, sep="-" if "-" in locale else "_"
    )


@lru_cache(maxsize=512)
def dated_locale(locale: str, country: str) -> Locale:
    """The CLDR locale that days and times are written in: English as in the shop's country (ISO 3166; empty: unknown).

    The United States write `Nov 22, 2026, 6:30 PM`, the United Kingdom `22 Nov 2026, 18:30`. A country whose English CLDR does not
    know writes it as the world does (`en-001`). Amounts and numbers stay as in `formatting_locale`: they say which currency it is.
    """
    plain = formatting_locale(locale)
    if not country or plain.language != SOURCE or plain.territory:
        return plain
    return Locale.parse(
        f"{SOURCE}_{country}" if localedata.exists(f"{SOURCE}_{country}") else f"{SOURCE}_001"
    )


def direction(locale: str) -> str:
    """`rtl` for languages that are written from right to left, else `ltr`: the `dir` attribute of a page."""
    return "rtl" if re.split("[-_]", locale)[0].lower() in _RTL_LANGUAGES else "ltr"


# -- translating ----------------------------------------------------------------------------------------------------------

_ACCENTS = str.maketrans("aceinouyACEINOUYds", "áçéíñóúýÁÇÉÍÑÓÚÝđš")
_KEEP = re.compile(r"(%\([a-z_]+\)[sd]|%%|<[^>]+>|&\w+;)")


def _pseudo(message: str) -> str:
    """Accents, brackets and a third more length, so that untranslated and cut-off texts are seen."""
    parts = [part if _KEEP.fullmatch(part) else part.translate(_ACCENTS) for part in _KEEP.split(message)]
    return f"[{''.join(parts)}{'·' * (len(message) // 3)}]"


class _Pseudo(gettext.NullTranslations):
    """Makes its translations from the English text."""

    def gettext(self, message: str) -> str:
        return _pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _pseudo(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:  # noqa: ARG002
        return _pseudo(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:  # noqa: ARG002
        return self.ngettext(msgid1, msgid2, n)


@lru_cache(maxsize=16)
def translator(locale: str) -> gettext.NullTranslations:
    """The translations of a locale: `gettext`, `ngettext`, `pgettext`, `npgettext`. English for a locale that we do not have."""
    if locale in {PSEUDO, PSEUDO_RTL}:
        return _Pseudo()
    if locale == SOURCE or locale not in LOCALES:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(locale))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def negotiate(accept_language: str | None, available: Sequence[str] = LOCALES) -> str:
    """The one of `available` that an `Accept-Language` header (RFC 9110, 12.5.4) asks for most; the first when it asks for none.

    `sv-FI` is served `sv` when there is no `sv-FI`. A header that makes no sense counts as none.
    """
    by_name = {name.lower().replace("_", "-"): name for name in available}
    for wanted in _wanted(accept_language or ""):
        if wanted == "*":
            break
        while wanted:
            if wanted in by_name:
                return by_name[wanted]
            wanted = wanted.rpartition("-")[0]
    return available[0]


def _wanted(header: str) -> list[str]:
    """The language ranges of a header, most wanted first, without those that it refuses (`q=0`)."""
    ranked: list[tuple[float, str]] = []
    for item in header.split(",")[:32]:
        name, _, parameter = item.strip().lower().partition(";")
        weight = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", parameter) if parameter else None
        if re.fullmatch(r"\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*", name.strip()):
            ranked.append((float(weight[1]) if weight else 1.0, name.strip()))
    return [name for weight, name in sorted(ranked, key=lambda pair: -pair[0]) if weight > 0]


# -- sorting --------------------------------------------------------------------------------------------------------------

# Letters of their own, in the order of the alphabet after z ("{" and "|", "}" follow "z" in ASCII), and their look-alikes.
_SWEDISH = str.maketrans({"å": "{", "ä": "|", "æ": "|", "ö": "}", "ø": "}", "ü": "y"})
_EVERYWHERE = str.maketrans(
    {"ĳ": "ij", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "œ": "oe", "þ": "th", "ð": "d"}
)


def collation_key(text: str, locale: str) -> tuple[str, str, str]:
    """A key for `sorted`: names in the order that readers of `locale` expect. (PostgreSQL here is built without ICU.)

    First by letters without accents and case, then accents, then case (small before capital), as the Unicode collation algorithm
    does. Swedish has å, ä, ö after z (and ü as y); Dutch sorts ij as i and j, as its dictionaries do.
    """
    composed = unicodedata.normalize("NFC", text).casefold()
    letters = composed.translate(_SWEDISH) if locale.startswith("sv") else composed
    letters = letters.translate(_EVERYWHERE)
    plain = "".join(c for c in unicodedata.normalize("NFD", letters) if not unicodedata.combining(c))
    return plain, composed, text.swapcase()


# -- collecting the messages ------------------------------------------------------------------------------------------------


def catalogue(locale: str) -> Catalog:
    """What the `.po` file of a locale says; an empty catalogue when there is none yet."""
    path = _po(locale)
    if not path.exists():
        return Catalog(locale=locale, domain="samlad")
    with path.open("rb") as file:
        return read_po(file, locale=locale, domain="samlad")


def extract() -> Catalog:
    """All messages that templates and modules of this checkout mark for translation, in the order of files, then of lines.

    Raises `FileNotFoundError` outside of a checkout: `babel.cfg`, which names the sources, is not installed.
    """
    found = Catalog(locale=SOURCE, domain="samlad")
    for filename, message, comments, context in _marked_texts():
        if found.get(message if isinstance(message, str) else message[0], context) is None:
            # The first file only, and no line: two people who work on two pages do not meet in the .po file.
            found.add(message, None, [(filename, 1)], auto_comments=comments, context=context)
    return found


@cache  # some seconds; sources do not change under a program that looks at them
def _marked_texts() -> list[tuple[str, str | tuple[str, ...], list[str], str | None]]:
    """File, message, comments and context of every text, by file and line."""
    # Late: only whoever works on a checkout needs them.
    from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
    from babel.messages.frontend import parse_mapping_cfg

    keywords = {**DEFAULT_KEYWORDS, "marked": None}
    with (_PACKAGE.parents[1] / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    extracted = extract_from_dir(_PACKAGE, methods, options, keywords, ("i18n:",), strip_comment_tags=True)
    return [
        (filename, message, comments, context)
        for filename, _line, message, comments, context in sorted(extracted, key=lambda hit: (hit[0], hit[1]))
    ]


def missing(locale: str) -> list[str]:
    """The messages of this checkout that lack a translation (or have an unsure one) in `locale`, and stale ones, as readable lines."""
    wanted, there = extract(), catalogue(locale)
    lines = []
    for message in _messages(wanted):
        translated = there.get(_id(message), message.context)
        if translated is None or translated.fuzzy or not all(_strings(translated)):
            lines.append(f"{locale}: not translated: {_id(message)!r} ({message.locations[0][0]})")
    known = {(_id(message), message.context) for message in _messages(wanted)}
    lines += [
        f"{locale}: no longer used: {_id(message)!r}"
        for message in _messages(there)
        if (_id(message), message.context) not in known
    ]
    return lines


def update(locale: str) -> None:
    """Write the `.po` file of `locale`: the messages of this checkout with the translations that there are; stale ones go."""
    old, new = catalogue(locale), Catalog(locale=locale, domain="samlad")
    for message in _messages(extract()):
        known = old.get(_id(message), message.context)
        new.add(
            message.id,
            known.string if known else None,
            message.locations,
            auto_comments=message.auto_comments,
            context=message.context,
        )
    body = io.BytesIO()
    write_po(body, new, width=0, omit_header=True, include_lineno=False)
    # Our own header: Babel's holds dates, on which every two branches would conflict.
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {locale}\\n"\n"Plural-Forms: {new.plural_forms}\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    path = _po(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode() + body.getvalue().strip() + b"\n")


def _po(locale: str) -> Path:
    return _CATALOGUES / locale / "LC_MESSAGES" / "samlad.po"


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def main(arguments: Sequence[str]) -> int:
    """`update` or `check`; see the module's text. Returns the exit code."""
    if list(arguments) not in (["update"], ["check"]):
        sys.stderr.write("usage: python -m samlad.kernel.i18n update|check\n")
        return 2
    left: list[str] = []
    for locale in LOCALES[1:]:
        if arguments[0] == "update":
            update(locale)
        left += missing(locale)
    sys.stdout.write("".join(f"{line}\n" for line in left) or "All messages are translated.\n")
    return 1 if left and arguments[0] == "check" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
