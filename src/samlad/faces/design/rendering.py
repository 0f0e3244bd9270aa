"""The one place that renders pages: Jinja with everything that our templates may use.

There is one environment a locale, so that macros of `design/ui.html` can be imported without context (Jinja then keeps them, and a table
of 50 rows costs a millisecond) and still speak the page's language. Templates are found in `faces/*/templates`; each face keeps
its own in a folder of its name: `admin/orders.html` is `faces/admin/templates/admin/orders.html`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from samlad.faces.design import art, formats
from samlad.faces.design.assets import asset
from samlad.kernel.i18n import direction, translator

_FACES = Path(__file__).resolve().parents[1]
THEMES = frozenset({"light", "dark"})


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
        cache_size=-1,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_translations(translator(locale), newstyle=True)  # type: ignore[attr-defined]
    gettext = _gettext(translator(locale))
    env.globals.update(
        _=gettext,
        gettext=gettext,
        asset=asset,
        icon=art.icon,
        icon_names=art.icon_names,
        initials=art.initials,
        placeholder_art=art.placeholder_art,
        sparkline=art.sparkline,
        moment=_moment(locale),
    )
    written: dict[str, Callable[..., str]] = {
        "money": partial(_in, locale, formats.money),
        "number": partial(_in, locale, formats.number),
        "date": partial(_in, locale, formats.day),
        "time": partial(_in, locale, formats.clock),
        "datetime": partial(_in, locale, formats.day_and_clock),
        "relative_time": partial(_in, locale, formats.ago),
    }
    env.globals.update(written)
    env.filters.update({name: _at_run_time(function) for name, function in written.items()})
    return env


def _gettext(translations: NullTranslations) -> Callable[..., Markup]:
    """What `_("…")` calls. Jinja's own goes through three more calls and formats each time: a third of the cost of a table."""

    @lru_cache(maxsize=4096)
    def translated(message: str) -> Markup:
        return Markup(translations.gettext(message))  # noqa: S704 - messages are ours; what is put into them is escaped

    @lru_cache(maxsize=4096)
    def plain(message: str) -> Markup:
        return translated(message) % {}

    def gettext(message: str, /, **variables: Any) -> Markup:
        return translated(message) % variables if variables else plain(message)

    return gettext


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
