"""Forms: what a person typed, read into a verb's input, and shown again with what was wrong with it at each field."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar

import msgspec
from litestar.datastructures import UploadFile

from samlad.faces import objections, problem_words
from samlad.faces.page import AnyRequest, words
from samlad.kernel.i18n import marked
from samlad.kernel.money import decimal_text, parse_amount
from samlad.kernel.problems import FieldError, InvalidInput, Malformed, Outdated, Problem

T = TypeVar("T", bound=msgspec.Struct)

MOST_FIELDS = 5000

NEEDED = marked("Please fill this in.")
TOO_LONG = marked("This is too long: at most %(most)s characters.")
TOO_SHORT = marked("This is too short: at least %(least)s characters.")
WHOLE = marked("Please write a whole number.")
AT_LEAST = marked("Please write %(least)s or more.")
AT_MOST = marked("Please write %(most)s or less.")
CHOOSE = marked("Please choose one of these.")
UNREADABLE = marked("We cannot use this as it is written.")
MEANWHILE = marked(
    "Somebody changed this meanwhile. Nothing of yours is saved yet, and what you typed is still here: look at theirs in another tab, or send yours again to put it over theirs."
)


LARGEST = 2**53 - 1
"""Minor units: beyond this numbers are not exact everywhere."""


class Form:
    """Fields as they were typed (or as they are, for a form that is shown first), with errors by field.

    Templates ask ``form.get("title")`` and ``form.error("title")``; ``form.message`` stands above the form.
    """

    def __init__(
        self,
        fields: Mapping[str, list[str]] | None = None,
        files: Mapping[str, UploadFile] | None = None,
        translate: Callable[[str], str] = str,
    ) -> None:
        self.fields = dict(fields or {})
        self.files = dict(files or {})
        self.errors: dict[str, str] = {}
        self.message: str | None = None
        self.status = 200
        self.translate = translate
        self._currencies: dict[str, str] = {}
        self.named: dict[str, str] = {}
        """Fields of a verb's input that have another name here; whoever makes the input from this form says them."""

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A form that shows what is: None is empty, True is a ticked box."""
        return cls({name: _shown(value) for name, value in values.items()})

    # -- reading ---------------------------------------------------------------------------------------------------------

    def get(self, name: str, default: str = "") -> str:
        """What was typed, as it was typed."""
        return (self.fields.get(name) or [default])[0]

    def all(self, name: str) -> list[str]:
        """Everything that was sent under a name: ticked boxes."""
        return list(self.fields.get(name, ()))

    def has(self, name: str, value: str | None = None) -> bool:
        """Whether a box is ticked, or one of several of the same name."""
        values = self.fields.get(name, [])
        return bool(values) if value is None else value in values

    def uploads(self, name: str) -> list[UploadFile]:
        """The files that were chosen under a name; a field that was left empty sends one without a name."""
        found = [file for key, file in self.files.items() if key.partition("#")[0] == name]
        return [file for file in found if file.filename]

    def text(self, name: str) -> str | None:
        """The text without spaces around it; None when there is nothing."""
        return self.get(name).strip() or None

    def whole(self, name: str) -> int | None:
        """A whole number; None when there is nothing.

        Raises:
            InvalidInput: it is none, or larger than anything we count.
        """
        text = self.text(name)
        if text is None:
            return None
        plain = re.sub(r"[\s\u00a0\u202f]", "", text).replace("−", "-")
        if not re.fullmatch(r"[+-]?[0-9]{1,15}", plain):
            raise InvalidInput.at(name, self.translate(WHOLE))
        return int(plain)

    def amount(self, name: str, currency: str) -> int | None:
        """Minor units of an amount typed with a point or a comma; None when there is nothing.

        Raises:
            InvalidInput: not an amount, or finer than the currency.
        """
        self._currencies[name] = currency
        text = self.text(name)
        if text is None:
            return None
        plain = re.sub(r"[\s\u00a0\u202f']", "", text).replace("−", "-")
        comma, point = plain.rfind(","), plain.rfind(".")
        if comma > point:  # 1.234,50
            plain = plain.replace(".", "").replace(",", ".")
        elif comma >= 0:  # 1,234.50
            plain = plain.replace(",", "")
        if not re.fullmatch(r"[+-]?[0-9]{1,16}(\.[0-9]{0,4})?", plain):
            raise InvalidInput.at(name, self.translate(UNREADABLE))
        amount = parse_amount(plain, currency, field=name)
        if abs(amount) > LARGEST:
            raise InvalidInput.at(name, self.translate(UNREADABLE))
        return amount

    def version(self) -> int | None:
        """The version that the form was filled from, kept in a hidden field; a form without one changes any."""
        text = self.get("version")
        return int(text) if text.isdecimal() and len(text) < 16 else None

    def into(self, kind: type[T], **values: Any) -> T:
        """The input struct of a verb: its fields by name from the form, or from ``values`` where given.

        Empty fields are left out, so that the struct's default holds; without one the field is needed.

        Raises:
            InvalidInput: at the field that does not fit.
        """
        given: dict[str, Any] = {}
        for field in msgspec.structs.fields(kind):
            if field.encode_name in values:
                given[field.encode_name] = values[field.encode_name]
            elif (text := self.text(field.name)) is not None:
                given[field.encode_name] = text
        given |= {name: value for name, value in values.items() if name not in given}
        try:
            return msgspec.convert(given, kind, strict=False)
        except msgspec.ValidationError as error:
            name, what = _place(str(error))
            currency = self._currencies.get(name.rpartition("/")[2])
            raise InvalidInput.at(name, spoken(what, self.translate, currency)) from None

    def one(self, name: str, kind: Any) -> Any:
        """One field as a kind that says what fits.

        Raises:
            InvalidInput: it does not fit.
        """
        try:
            return msgspec.convert(self.get(name), kind)
        except msgspec.ValidationError as error:
            raise InvalidInput.at(name, spoken(_place(str(error))[1], self.translate)) from None

    # -- showing again -----------------------------------------------------------------------------------------------------

    def error(self, name: str) -> str | None:
        """What is wrong with a field."""
        return self.errors.get(name)

    def failed(
        self, problem: Problem, names: Mapping[str, str] | None = None, *, may_send_again: bool = True
    ) -> Self:
        """Take in what a verb said: at its fields where the form has them, above the form where not.

        What somebody else changed meanwhile is said, and the same sent once more goes over it: the form has the version of now.
        ``may_send_again`` False: the page asks for that itself.

        ``names`` maps a verb's field to the form's where they differ. A problem that no form can help with (no
        permission, nothing there, our own fault) is raised again, for the page that says so.
        """
        if problem.status in (401, 403, 404) and not problem.errors and problem.code in _NOT_FOR_FORMS:
            raise problem
        if problem.status >= 500:
            raise problem
        self.status = 422 if problem.status < 409 or problem.status == 422 else problem.status
        loose = []
        for fault in problem.errors:
            name = (names or self.named).get(fault.field, fault.field)
            self.errors.setdefault(name, self._said(fault))
            loose.append(fault)
        self.message = objections.said(self.translate, problem.detail or problem_words.title(problem))
        current = problem.extra.get("current")
        if (
            may_send_again
            and isinstance(problem, Outdated)
            and isinstance(current, int)
            and self.has("version")
        ):
            self.fields["version"] = [str(current)]
            self.message = self.translate(MEANWHILE)
        return self

    def _said(self, fault: FieldError) -> str:
        text = objections.said(self.translate, fault.message)
        return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")

    def in_one_line(self) -> str:
        """What a verb said (`failed`), the whole and its faults, where there is no form to say it at: each once."""
        said: dict[str, str] = {}
        for text in (
            *self.errors.values(),
            self.message or "",
        ):  # faults are sentences, the whole may be the same words
            said.setdefault(text.rstrip(".").casefold(), text)
        return " ".join(said.values()).strip()

    def loose_errors(self, shown: Iterable[str]) -> list[tuple[str, str]]:
        """Errors at fields that the template does not show itself: they are listed above the form."""
        known = set(shown)
        return [(name, text) for name, text in self.errors.items() if name not in known]


_NOT_FOR_FORMS = frozenset({"unauthenticated", "forbidden", "not-found", "cross-site", "confirm-first"})


async def read_form(request: AnyRequest) -> Form:
    """The form that was sent.

    Raises:
        Malformed: no form, too many fields, or a character that cannot be kept.
    """
    try:
        sent = await request.form()
    except (ValueError, UnicodeDecodeError):
        raise Malformed("The form cannot be read.") from None
    fields: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    for number, (name, value) in enumerate(sent.multi_items()):
        if number >= MOST_FIELDS:
            raise Malformed("The form has too many fields.")
        if isinstance(value, UploadFile):
            files[name if name not in files else f"{name}#{number}"] = value
        else:
            fields.setdefault(name, []).append(str(value).replace("\x00", "").replace("\r\n", "\n"))
    return Form(fields, files, words(request))


def _shown(value: Any) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return ["1"]
    if isinstance(value, list | tuple | set | frozenset):
        return [str(item) for item in value]
    return [str(value)]


_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(\w+)`")
_LIMITS = (
    (re.compile(r"length >= 1$"), NEEDED),
    (re.compile(r"length >= (?P<least>\d+)"), TOO_SHORT),
    (re.compile(r"length <= (?P<most>\d+)"), TOO_LONG),
    (re.compile(r">= (?P<least>-?\d+)"), AT_LEAST),
    (re.compile(r"<= (?P<most>-?\d+)"), AT_MOST),
    (re.compile(r"Expected `int"), WHOLE),
    (re.compile(r"[Ii]nvalid enum|[Ii]nvalid value"), CHOOSE),
)


def _place(text: str) -> tuple[str, str]:
    """The field (``lines/0/sku``) and the fault of a message of msgspec."""
    missing = _MISSING.search(text)
    found = _PLACE.match(text)
    assert found is not None
    path = re.sub(r"[.\[\]]+", "/", found["path"] or "").strip("/")
    if missing:
        return "/".join(filter(None, (path, missing[1]))), "length >= 1"
    return path, found["what"]


def spoken(fault: str, translate: Callable[[str], str], currency: str | None = None) -> str:
    """A message of msgspec as a person would say it; a limit of an amount in units of its currency, as it is typed."""
    for pattern, message in _LIMITS:
        hit = pattern.search(fault)
        if hit:
            limits = hit.groupdict()
            if currency is not None and message in (AT_LEAST, AT_MOST):
                limits = {name: decimal_text(int(limit), currency) for name, limit in limits.items()}
            return translate(message) % limits
    return translate(UNREADABLE)
