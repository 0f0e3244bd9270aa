"""The form of a page made of blocks: fields from a document, a document from fields. No database."""

import secrets
from collections.abc import Iterable
from typing import Any, get_args

import msgspec

from samlad.content.model import BLOCKS, LANGUAGES, Block, Document, Prose, Words
from samlad.faces.form import Form
from samlad.kernel.i18n import marked
from samlad.kernel.problems import FieldError, InvalidInput

NAMES = {
    "hero": marked("Opening with picture"),
    "shelf": marked("Shelf of products"),
    "text": marked("Text"),
    "picture_text": marked("Picture with text"),
    "recommend": marked("Recommendations"),
    "categories": marked("Categories"),
    "stores": marked("Stores"),
    "newsletter": marked("Newsletter"),
}
"""Kinds of blocks as an editor reads them."""
LABELS = {
    "title": marked("Heading"),
    "text": marked("Text"),
    "picture": marked("Picture"),
    "alt": marked("What the picture shows"),
    "button": marked("Words on the button"),
    "href": marked("Where the button leads"),
    "source": marked("Products of"),
    "goods": marked("Which one"),
    "count": marked("How many at most"),
    "what": marked("Which products"),
    "side": marked("The picture stands"),
}
HINTS = {
    "text": marked("# heading, **bold**, *italic*, - list, [words](/address)"),
    "alt": marked("For those who do not see it. Empty: it is only decoration."),
    "href": marked("An address in the shop such as /search, or one that begins with https://."),
    "goods": marked("The handle of a collection, or the path of a category such as kitchen/kettles."),
}
CHOICES = {
    "collection": marked("a collection"),
    "category": marked("a category"),
    "new": marked("what is new"),
    "most_sold": marked("what sells most"),
    "last_seen": marked("what the visitor saw last"),
    "start": marked("first"),
    "end": marked("last"),
}


class Field(msgspec.Struct, frozen=True):
    """A field of a block: ``kind`` is words, prose, picture, choice, number or line."""

    name: str
    kind: str
    choices: tuple[str, ...] = ()


def fields_of(kind: str) -> list[Field]:
    """The fields of a kind of block, in their order."""
    found = []
    for field in msgspec.structs.fields(BLOCKS[kind]):
        if field.name == "id":
            continue
        shape = "line"
        choices: tuple[str, ...] = ()
        if field.type is Words or field.type is Prose:
            shape = "words" if field.type is Words else "prose"
        elif field.name == "picture":
            shape = "picture"
        elif field.name == "count":
            shape = "number"
        elif field.name in ("source", "what", "side"):
            shape, choices = "choice", get_args(field.type)
        found.append(Field(field.name, shape, choices))
    return found


def key(block: str, field: str, language: str = "") -> str:
    """The name of a field in the form."""
    return f"b-{block}-{field}" + (f"-{language}" if language else "")


def form_of(document: Document, version: int) -> Form:
    """A form that shows a document."""
    values: dict[str, Any] = {"version": version, "block": [f"{b.id}:{b.kind}" for b in document.blocks]}
    for name in ("title", "description"):
        values |= {f"{name}-{code}": getattr(getattr(document, name), code) for code in LANGUAGES}
    for block in document.blocks:
        for field in fields_of(block.kind):
            value = getattr(block, field.name)
            if isinstance(value, Words | Prose):
                values |= {key(block.id, field.name, code): getattr(value, code) for code in LANGUAGES}
            else:
                values[key(block.id, field.name)] = value
    return Form.of(**values)


def shown(form: Form) -> list[tuple[str, str]]:
    """The blocks of a form: id and kind of each, in their order."""
    pairs = [text.partition(":")[::2] for text in form.all("block")]
    return [(block, kind) for block, kind in pairs if kind in BLOCKS]


def document_of(form: Form) -> Document:
    """The document that a form says.

    Raises:
        InvalidInput: at the field of the form that does not fit.
    """
    blocks = [_values(form, block, kind) for block, kind in shown(form)]
    values = {
        "title": _said(form, "title"),
        "description": _said(form, "description"),
        "blocks": blocks,
    }
    try:
        return msgspec.convert(values, Document)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            "Something on the page is not right.", errors=(_fault(str(error), blocks),)
        ) from None


def _values(form: Form, block: str, kind: str) -> dict[str, Any]:
    values: dict[str, Any] = {"type": kind, "id": block}
    for field in fields_of(kind):
        name = key(block, field.name)
        if field.kind in ("words", "prose"):
            values[field.name] = {code: form.get(f"{name}-{code}").strip() for code in LANGUAGES}
        elif field.kind == "number":
            values[field.name] = form.whole(name) or 8
        elif form.text(name) is not None:
            values[field.name] = form.text(name)
    return values


def _said(form: Form, name: str) -> dict[str, str]:
    return {code: form.get(f"{name}-{code}").strip() for code in LANGUAGES}


def _fault(said: str, blocks: list[dict[str, Any]]) -> FieldError:
    """A message of msgspec at the field of the form that it is about."""
    what, _, path = said.partition(" - at `$.")
    names = [part for part in path.rstrip("`").replace("[", ".").replace("]", "").split(".") if part]
    return FieldError(place(names, blocks), what)


def place(names: list[str], blocks: Iterable[dict[str, Any]]) -> str:
    """The field of the form for a path in the document: ``blocks/2/text/sv`` is ``b-ID-text-sv``."""
    if names[:1] == ["blocks"] and len(names) > 1 and names[1].isdecimal():
        block = list(blocks)[int(names[1])]
        field = names[2] if len(names) > 2 else "id"
        is_said = field in {f.name for f in fields_of(block["type"]) if f.kind in ("words", "prose")}
        language = names[3] if len(names) > 3 else (LANGUAGES[0] if is_said else "")
        return key(block["id"], field, language)
    return "-".join(names[:2]) if names else "title-en"


def places(document: Document) -> dict[str, str]:
    """For each fault that `samlad.content.rules` may find in a document, the field of the form."""
    blocks = [{"id": block.id, "type": block.kind} for block in document.blocks]
    return {
        f"blocks/{number}/{field}": place(["blocks", str(number), field], blocks)
        for number, block in enumerate(document.blocks)
        for field in ("id", *(each.name for each in fields_of(block.kind)))
    }


def new_block(kind: str) -> Block:
    """An empty block."""
    return BLOCKS[kind](id=f"n{secrets.token_hex(4)}")
