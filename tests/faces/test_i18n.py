"""Languages: nothing untranslated, nothing hard-coded, the right locale chosen, names sorted as readers expect."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from samlad.faces.design import Pages
from samlad.faces.design.style import style_context
from samlad.kernel import i18n

FACES = Path(i18n.__file__).parents[1] / "faces"
TEMPLATES = sorted(FACES.glob("*/templates/**/*.html"))
LETTERS = re.compile(r"[^\W\d_]{2,}")
SPOKEN_ATTRIBUTES = {
    "alt",
    "aria-label",
    "aria-description",
    "content-label",
    "data-label",
    "label",
    "placeholder",
    "title",
}
TEXT_PARAMETERS = {
    "caption",
    "confirm_label",
    "error",
    "hint",
    "label",
    "badge_label",
    "note",
    "placeholder",
    "text",
    "title",
    "summary",
}
NO_TEXT = {"script", "style", "code", "kbd", "svg"}
PROPER_NAMES = {"Samlad", "Ctrl"}


# -- translations ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", i18n.LOCALES[1:])
def test_every_message_is_translated(locale: str) -> None:
    assert i18n.missing(locale) == [], "run: python -m samlad.kernel.i18n update"


@pytest.mark.parametrize("locale", i18n.LOCALES[1:])
def test_translations_keep_the_placeholders(locale: str) -> None:
    holes = re.compile(r"%\(\w+\)[sd]|%%")
    for message in i18n.catalogue(locale):
        if message.id:
            sources = [message.id] if isinstance(message.id, str) else list(message.id)
            results = [message.string] if isinstance(message.string, str) else list(message.string)
            wanted = set(holes.findall(sources[-1]))
            assert all(set(holes.findall(result)) == wanted for result in results), message.id
            assert all(result == result.strip() for result in results), message.id


@pytest.mark.parametrize(
    ("locale", "formal"), [("nl", r"\b(?:u|uw|uwe)\b"), ("sv", r"\b(?:ni|er|ert|era)\b")]
)
def test_customers_are_spoken_to_in_one_way(locale: str, formal: str) -> None:
    """The shop says “je” and “du”: half of a page that says “u” reads as if two had written it."""
    theirs = ("faces/storefront/", "documents/", "faces/pos/templates/pos/screen")
    told = [
        f"{message.id}: {said}"
        for message in i18n.catalogue(locale)
        if message.id not in ("", "Your reference")  # which is its name on invoices
        and any(str(place).startswith(theirs) for place, _ in message.locations)
        for said in ([message.string] if isinstance(message.string, str) else message.string)
        if re.search(formal, said, re.IGNORECASE)
    ]
    assert told == []


def test_messages_of_the_templates_are_found() -> None:
    found = i18n.extract()
    assert found.get("Skip to content") is not None
    assert found.get("%(num)d piece").id == ("%(num)d piece", "%(num)d pieces")
    assert len(found) > 150


def test_update_keeps_translations_and_says_what_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = (i18n._CATALOGUES / "sv/LC_MESSAGES/samlad.po").read_text()
    monkeypatch.setattr(i18n, "_CATALOGUES", tmp_path)
    target = tmp_path / "sv/LC_MESSAGES/samlad.po"
    target.parent.mkdir(parents=True)
    lacking = stored.replace('msgid "Save"\nmsgstr "Spara"', 'msgid "Save"\nmsgstr ""')
    target.write_text(lacking + '\nmsgid "Gone"\nmsgstr "Borta"\n')
    assert sorted(line.partition(" (")[0] for line in i18n.missing("sv")) == [
        "sv: no longer used: 'Gone'",
        "sv: not translated: 'Save'",
    ]
    i18n.update("sv")
    assert target.read_text() == lacking
    assert i18n.main(["check"]) == 1
    assert i18n.main(["nonsense"]) == 2


def test_translators() -> None:
    assert i18n.translator("sv").gettext("Save") == "Spara"
    assert i18n.translator("nl").ngettext("%(num)d piece", "%(num)d pieces", 2) == "%(num)d stuks"
    assert i18n.translator("en").gettext("Save") == "Save"
    assert i18n.translator("xx").gettext("Save") == "Save"
    pseudo = i18n.translator(i18n.PSEUDO)
    assert pseudo.gettext("%(num)d <b>pieces</b>") == "[%(num)d <b>píéçéš</b>·······]"
    assert pseudo.ngettext("one", "many", 1) == "[óñé·]"


def test_a_page_speaks_its_language_in_macros_too() -> None:
    pages = Pages()
    for locale, word in (
        ("en", "Select all on this page"),
        ("sv", "Markera alla på sidan"),
        ("nl", "Alles op deze pagina selecteren"),
    ):
        html = pages.render("design/style.html", locale=locale, **style_context())
        assert word in html
        assert f'<html lang="{locale}" dir="ltr">' in html


# -- hard-coded text -----------------------------------------------------------------------------------------------------------


class _Spoken(HTMLParser):
    """Collects what readers would see or hear of a template whose expressions and translations have been taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NO_TEXT:
            self._silent.append(tag)
        self.found += [
            f"{name}={value}" for name, value in attrs if name in SPOKEN_ATTRIBUTES and _is_text(value or "")
        ]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and _is_text(data):
            self.found.append(data.strip())


def _is_text(value: str) -> bool:
    return bool(set(LETTERS.findall(value)) - PROPER_NAMES)


def _environment() -> Environment:
    return Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True, trim_blocks=True)


def hard_coded(source: str, signatures: dict[str, list[str]]) -> list[str]:
    """Texts of a template that are not marked for translation: between tags, in spoken attributes, handed to components."""
    env, plain, in_translation = _environment(), [], False
    tokens = list(env.lex(source))
    for position, (_line, kind, value) in enumerate(tokens):
        if kind == "block_begin":
            name = next(text for _, sort, text in tokens[position + 1 :] if sort == "name")
            in_translation = name == "trans" or (in_translation and name != "endtrans")
        elif kind == "data" and not in_translation:
            plain.append(value)
        elif kind == "variable_begin":
            plain.append("\ufffc")
    parser = _Spoken()
    parser.feed("".join(plain))
    return parser.found + [
        text for call in env.parse(source).find_all(nodes.Call) for text in _literals(call, signatures)
    ]


def _literals(call: nodes.Call, signatures: dict[str, list[str]]) -> list[str]:
    """Bare literals in the text parameters of a call of a component."""
    if not (
        isinstance(call.node, nodes.Getattr)
        and isinstance(call.node.node, nodes.Name)
        and call.node.node.name == "ui"
    ):
        return []
    given = dict(zip(signatures[call.node.attr], call.args, strict=False)) | {
        k.key: k.value for k in call.kwargs
    }
    return [
        f"ui.{call.node.attr}({name}={value.value!r})"
        for name, value in given.items()
        if name in TEXT_PARAMETERS
        and isinstance(value, nodes.Const)
        and isinstance(value.value, str)
        and _is_text(value.value)
    ]


@pytest.fixture(scope="module")
def signatures() -> dict[str, list[str]]:
    tree = _environment().parse((FACES / "design/templates/design/ui.html").read_text())
    return {macro.name: [argument.name for argument in macro.args] for macro in tree.find_all(nodes.Macro)}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(FACES).as_posix())
def test_no_text_is_hard_coded(path: Path, signatures: dict[str, list[str]]) -> None:
    assert hard_coded(path.read_text(), signatures) == []


def test_the_search_for_hard_coded_text_finds_it(signatures: dict[str, list[str]]) -> None:
    def found(source: str) -> list[str]:
        return hard_coded(source, signatures)

    assert found("<p>Hello {{ name }}</p>") == ["Hello \ufffc"]
    assert found('<input placeholder="Your name">') == ["placeholder=Your name"]
    assert found('{{ ui.button("Save") }}') == ["ui.button(label='Save')"]
    assert found('{% call ui.card(title="Orders") %}{% endcall %}') == ["ui.card(title='Orders')"]
    assert (
        found(
            '{% if x %}<b title="{{ _("Fine") }}">{{ _("Fine") }}</b>{% endif %}{% trans %}Also fine{% endtrans %}'
        )
        == []
    )
    assert found("{% trans %}Fine{% endtrans %} not fine") == ["not fine"]
    assert (
        found(
            '<code>GET /x</code><script type="application/json">{"a": 1}</script>{{ ui.button(_("Save"), "primary") }} 12 · 3'
        )
        == []
    )


# -- choosing and sorting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "en"), ("", "en"), ("sv", "sv"), ("sv-FI, en;q=0.5", "sv"), ("de, nl;q=0.4, sv;q=0.8", "sv"), ("NL-be", "nl"), ("de", "en"),
        ("sv;q=0, nl", "nl"), ("*, sv;q=0.1", "en"), ("sv;q=abc", "sv"), (";;,,=", "en"), ("fr;q=1.0,nl ; q=0.9", "nl"), ("x" * 10000, "en"),
    ],
)  # fmt: skip
def test_the_language_that_a_browser_asks_for(header: str | None, chosen: str) -> None:
    assert i18n.negotiate(header) == chosen


def test_the_first_available_language_is_the_channel_s_own() -> None:
    assert i18n.negotiate("de", ("sv", "en")) == "sv"
    assert i18n.negotiate("sv-FI", ("en", "sv_FI", "sv")) == "sv_FI"


def test_directions() -> None:
    assert [i18n.direction(locale) for locale in ("en", "sv", "ar", "he-IL", "fa_IR", i18n.PSEUDO_RTL)] == [
        "ltr",
        "ltr",
        "rtl",
        "rtl",
        "rtl",
        "rtl",
    ]


@pytest.mark.parametrize(
    ("locale", "sorted_names"),
    [
        ("sv", ["Alm", "andersson", "Zander", "Åberg", "Ängqvist", "Öberg"]),
        ("nl", ["IJsbrand", "ijsselmeer", "Jansen", "Zuid"]),
        ("en", ["Åberg", "Alm", "Bee", "Öberg", "Zander"]),
        ("en", ["co-op", "Coe", "coé", "cof"]),
        ("sv", ["Muller", "Myller", "Müller", "Mz"]),
    ],
)
def test_names_are_sorted_as_readers_expect(locale: str, sorted_names: list[str]) -> None:
    shuffled = sorted_names[::-1]
    assert sorted(shuffled, key=lambda name: i18n.collation_key(name, locale)) == sorted_names
