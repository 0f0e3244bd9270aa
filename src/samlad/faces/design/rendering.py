"""The one place that renders pages: Jinja with everything that our templates may use.

There is one environment a locale, so that macros of `design/ui.html` can be imported without context (Jinja then keeps them, and a table
of 50 rows costs a millisecond) and still speak the page's language. Templates are found in `faces/*/templates`; each face keeps
its own in a folder of its name: `admin/orders.html` is `faces/admin/templates/admin/orders.html`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from gettext import NullTranslations
from pathlib import Path
from secrets import token_urlsafe
from types import CodeType
from typing import Any

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    pass_context,
)
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from samlad.catalog.measures import counted_in, per_text, step_of
from samlad.catalog.renditions import srcset
from samlad.faces.design import art, formats
from samlad.faces.design.assets import asset
from samlad.kernel.i18n import direction, translator

_FACES = Path(__file__).resolve().parents[1]
THEMES = frozenset({"light", "dark"})
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LEFT_TO_RIGHT = re.compile("[A-Za-z\u00c0-\u058f]")
BRIEF_CHARACTERS = 1_200
_ISOLATE, _POP = "\u2068", "\u2069"


class _Compiled(BytecodeCache):
    """What templates were compiled to, for all languages of this process: what is different in them is found at run time."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give it the code of the same template and text."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep its code."""
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


compiled: BytecodeCache = _Compiled()
"""To compile all templates takes seconds: each is once a process, not once a language. Tests keep them for all processes."""


class Pages:
    """Renders templates; make one per process and keep it: compiled templates and translations stay in it."""

    def __init__(self) -> None:
        self._loader = FileSystemLoader(sorted(_FACES.glob("*/templates")))
        self._environments: dict[tuple[str, Path | None], Environment] = {}

    def render(
        self,
        template: str,
        *,
        locale: str,
        time_zone: str = "UTC",
        theme: str | None = None,
        overrides: Path | None = None,
        **context: Any,
    ) -> str:
        """The page as text. Times are shown in `time_zone` (IANA name); `theme` is `light`, `dark` or, by the reader's system, None.

        Templates in the folder `overrides` come before ours of the same name, and run in a sandbox.
        The template also sees `locale`, `direction`, `theme` and `time_zone`. Raises `jinja2.UndefinedError` when it uses a name
        that the context lacks, `KeyError` for an unknown time zone or icon.
        """
        env = self.environment(locale, overrides)
        token = formats.zone.set(formats.zone_of(time_zone))
        try:
            return env.get_template(template).render(
                context,
                locale=locale,
                direction=direction(locale),
                theme=theme if theme in THEMES else None,
                time_zone=time_zone,
            )
        finally:
            formats.zone.reset(token)

    def environment(self, locale: str, overrides: Path | None = None) -> Environment:
        """The Jinja environment of a locale (and of a brand with templates of its own), made at first use."""
        key = (locale, overrides)
        found = self._environments.get(key)
        if found is None:
            found = self._environments[key] = _environment(self._loader, locale, overrides)
        return found


def _environment(loader: BaseLoader, locale: str, overrides: Path | None) -> Environment:
    # A brand's templates are written by somebody who changes pages, not the program: they see values, and nothing
    # behind them (docs/decisions/themes.md). They are read again when their file changes.
    kind = Environment if overrides is None else SandboxedEnvironment
    env = kind(
        loader=loader if overrides is None else ChoiceLoader([FileSystemLoader(overrides), loader]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=overrides is not None,
        bytecode_cache=compiled if overrides is None else None,
        cache_size=-1,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_translations(translator(locale), newstyle=True)  # type: ignore[attr-defined]
    turning = turning_in(locale)
    gettext = _gettext(translator(locale), turning)
    env.globals.update(
        _=gettext,
        gettext=gettext,
        ngettext=_ngettext(locale, translator(locale), turning),
        asset=asset,
        icon=art.icon,
        icon_names=art.icon_names,
        initials=art.initials,
        placeholder_art=art.placeholder_art,
        sparkline=art.sparkline,
        moment=_moment(locale),
        per_of=per_text,
        counted_in=counted_in,
        step_of=step_of,
        srcset=srcset,
        once=lambda: token_urlsafe(6),
        english_dates=formats.english_dates,
    )
    written: dict[str, Callable[..., str]] = {
        "money": partial(_in, locale, formats.money),
        "number": partial(_in, locale, formats.number),
        "typed": partial(_in, locale, formats.typed),
        "amount_of": partial(_in, locale, formats.amount_of),
        "file_size": partial(_in, locale, formats.file_size),
        "duration": partial(_in, locale, formats.duration),
        "language_name": partial(_in, locale, formats.language_name),
        "date": partial(_in, locale, formats.day),
        "time": partial(_in, locale, formats.clock),
        "datetime": partial(_in, locale, formats.day_and_clock),
        "relative_time": partial(_in, locale, formats.ago),
    }
    env.globals.update(written)
    env.filters.update({name: _at_run_time(function) for name, function in written.items()})
    env.filters["brief_json"] = brief_json
    return env


def brief_json(value: Any) -> str:
    """A value as JSON to look at in a list, its first lines if it is long. Fifty of them fit on a page."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    return text if len(text) <= BRIEF_CHARACTERS else text[: text.rfind("\n", 0, BRIEF_CHARACTERS)] + "\n…"


def _gettext(translations: NullTranslations, turning: re.Pattern[str]) -> Callable[..., Markup]:
    """What `_("…")` calls. Jinja's own goes through three more calls and formats each time: a third of the cost of a table."""

    @lru_cache(maxsize=4096)
    def translated(message: str) -> Markup:
        return Markup(translations.gettext(message))  # noqa: S704 - messages are ours; what is put into them is escaped

    @lru_cache(maxsize=4096)
    def plain(message: str) -> Markup:
        return translated(message) % {}

    def gettext(message: str, /, **variables: Any) -> Markup:
        return translated(message) % apart(variables, turning) if variables else plain(message)

    return gettext


def _ngettext(locale: str, translations: NullTranslations, turning: re.Pattern[str]) -> Callable[..., Markup]:
    """What `ngettext("…", "…", number)` calls: the same for texts that count."""

    def ngettext(singular: str, plural: str, number: int, /, **variables: Any) -> Markup:
        variables.setdefault("num", number)
        message = translations.ngettext(singular, plural, number)
        if (
            type(variables["num"]) is int and abs(number) >= 1000
        ):  # 4,336 people; below, digits are what %d says
            message = message.replace("%(num)d", "%(num)s")
            variables["num"] = formats.number(variables["num"], locale)
        return Markup(message) % apart(variables, turning)  # noqa: S704 - messages are ours

    return ngettext


def turning_in(locale: str) -> re.Pattern[str]:
    """Letters that run against a page in a language."""
    return _LEFT_TO_RIGHT if direction(locale) == "rtl" else _RIGHT_TO_LEFT


def apart(variables: Mapping[str, Any], turning: re.Pattern[str]) -> dict[str, Any]:
    """Values with letters that run against the page, isolated: a name turns no word around it (UAX #9, 2.4).

    Characters and not an element, as texts are attributes and titles, too.
    """
    return {
        name: f"{_ISOLATE}{value}{_POP}" if type(value) is str and turning.search(value) else value
        for name, value in variables.items()
    }


def _in(locale: str, function: Callable[..., str], *arguments: int | Decimal | str | datetime) -> str:
    return function(*arguments, locale)


def _at_run_time(function: Callable[..., str]) -> Callable[..., str]:
    """Keeps Jinja from working out `{{ 5 | money("SEK") }}` when it compiles: the time zone is only known when it renders."""

    @pass_context
    def filtered(_context: Context, *arguments: Any) -> str:
        return function(*arguments)

    return filtered


def _moment(locale: str) -> Callable[[datetime], Markup]:
    """`moment(t)`: how long ago, with the machine-readable time, and the full time as title for who points at it."""
    template = Markup('<time datetime="{}" title="{}">{}</time>')

    def moment(value: datetime) -> Markup:
        return template.format(
            value.isoformat(timespec="seconds"),
            formats.day_and_clock(value, locale),
            formats.ago(value, locale),
        )

    return moment
