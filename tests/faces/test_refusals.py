"""What verbs refuse is said in the reader's language: each sentence of every package is known."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from market import Market

import samlad
from applications import running
from samlad import app
from samlad.faces import objections, problem_words
from samlad.faces.form import Form
from samlad.kernel.i18n import translator
from samlad.kernel.problems import FieldError, InvalidInput, NotFound, Problem
from samlad.kernel.settings import Settings
from samlad.tracking.model import WireProblem

ROOT = Path(samlad.__file__).parent
assert app  # with it every kind of problem is there
NOT_HERE = {"bench", "cli", "demo", "faces", "kernel", "locale", "web"}
"""Folders that are no packages of verbs, or speak to whoever runs the server."""
PACKAGES = sorted(
    path.name for path in ROOT.iterdir() if (path / "__init__.py").exists() and path.name not in NOT_HERE
)


def _kinds(kind: type[Problem]) -> set[str]:
    """Every kind of problem; those of protocols speak to programs."""
    if issubclass(kind, WireProblem):
        return set()
    return {kind.__name__}.union(*(_kinds(each) for each in kind.__subclasses__()))


KINDS = {"FieldError"} | _kinds(Problem) - {"Problem"}
NOT_THERE = _kinds(NotFound)
ON_PAGES = ("faces", "kernel")
"""What these refuse stands on pages too; else they are no packages of verbs."""
FOR_WHO_RUNS_IT = {
    f"kernel/{name}.py"
    for name in ("connections", "edge", "embedded", "http", "live", "migrations", "settings", "vault")
}
"""Modules whose refusals are read in a terminal, or by a program that calls the API."""
FOR_MACHINES = {
    "payments": {
        # What only programs can do wrong: no form of a page has these fields.
        "“7” does not offer 7; it offers 7",
        "7 is left to pay; let go of another payment of this cart to pay more here",
        "Only the shop can charge by what a provider keeps.",
        "It is 7 with 7; nothing can be collected for it.",
        "there is no “7”; there are 7",
        "cannot be called while an order is placed; begin the payment for the cart first",
        "“7” pays while the order is placed; there is nothing to begin",
        "It is 7 with 7; only what is authorised can be captured.",
    },
    "kernel": {"There is no kind of problem called 7.", "There is no secret called 7."},
    "faces": {
        # A script names these, no form of a page does.
        "A payment cannot be begun of this: 7",
        "This is no batch of entries: 7",
        "is no id of a list",
    },
    "channels": {"“7” is 7"},  # what it is stands in a sentence of its own
    "documents": {"not 7"},
    "orders": {
        "No such payment was begun for this order."
    },  # the page that waits goes back to what is still to be paid
    "tills": {
        # A till's script names its key; no form of a page does.
        "Only a device that somebody has signed in has a key.",
        "This is no public key of the curve P-256.",
        "This is the key of another till.",
        # A kiosk's script names its payment and its ticket.
        "Another payment has this id.",
        "No such payment was begun for this ticket.",
        "This ticket was sold already.",
        "this store sells in 7",
    },
    "promotions": {"7: 7"},
    "stock": {"“7” 7", "there is no such 7"},  # made of sentences that are known
}
"""Sentences that no person meets, with 7 in their holes."""


def _text(node: ast.expr, constants: Mapping[str, str] = MappingProxyType({})) -> str | None:
    if isinstance(node, ast.Name | ast.Attribute):
        return constants.get(node.id if isinstance(node, ast.Name) else node.attr)
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)
    return None


def _constants(trees: Iterable[ast.Module]) -> dict[str, str]:
    """Texts of a package that have a name: ``NO_CART = "There is no such cart."``"""
    found = {}
    for node in (node for tree in trees for node in tree.body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value)
            if text is not None:
                found[node.targets[0].id] = text
    return found


def _refusals(package: str, kinds: set[str]) -> Iterator[tuple[str, str]]:
    """What the modules of a package may refuse, and where."""
    trees = {path: ast.parse(path.read_text()) for path in sorted((ROOT / package).rglob("*.py"))}
    constants = _constants(trees.values())
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            is_at = isinstance(node.func, ast.Attribute) and node.func.attr == "at" and len(node.args) > 1
            kind = node.func.id if isinstance(node.func, ast.Name) else ""
            if "FieldError" in kinds and (is_at or (kind == "FieldError" and len(node.args) > 1)):
                text = _text(node.args[1])
            elif kind in kinds:
                text = _text(node.args[0], constants if kind in NOT_THERE else {})
            else:
                continue
            if text and re.search("[A-Za-z]{2}", text):  # a sentence; not what only joins others
                yield text, f"{path.relative_to(ROOT)}:{node.lineno}"


@cache
def _for_people() -> list[tuple[str, str]]:
    return [
        (text, where)
        for package in (*PACKAGES, *ON_PAGES)
        for text, where in _refusals(package, KINDS)
        if where.split(":")[0] not in FOR_WHO_RUNS_IT and text not in FOR_MACHINES.get(package, ())
    ]


@pytest.mark.parametrize("locale", ["sv", "nl"])
def test_no_refusal_is_only_english(locale: str) -> None:
    translate = translator(locale).gettext
    missing = [
        f"{where}: {text}" for text, where in _for_people() if objections.said(translate, text) == text
    ]
    assert not missing, "\n".join(missing)


def test_figures_and_names_stay_in_their_place() -> None:
    said = objections.said(translator("sv").gettext, "of this purchase order 6 can go back")
    assert said == "av den här inköpsordern kan 6 gå tillbaka"
    assert (
        objections.said(translator("nl").gettext, "come to 100, but 150 is due")
        == "komen op 100, maar 150 is verschuldigd"
    )
    assert objections.said(translator("sv").gettext, "nobody ever said this") == "nobody ever said this"


async def test_a_page_says_in_the_readers_language_what_is_not_there(api: httpx.AsyncClient) -> None:
    here = "/admin/orders/00000000-0000-0000-0000-000000000001"
    for language, text in (
        ("en", "There is no such order."),
        ("sv", "Det finns ingen sådan order."),
        ("nl", "Er is geen zo’n bestelling."),
    ):
        page = await api.get(here, headers={"accept": "text/html", "accept-language": language})
        assert page.status_code == 404
        assert text in page.text
    # The framework's own words are no sentence for people.
    page = await api.get("/admin/nothing-here", headers={"accept": "text/html", "accept-language": "sv"})
    assert page.status_code == 404
    assert "Not Found" not in page.text


PIECE = {"hx-request": "true", "accept": "*/*"}


async def test_a_script_is_told_in_the_readers_language_what_went_wrong(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows the detail as it comes. Programs are told in English, as always."""
    here = "/admin/orders/00000000-0000-0000-0000-000000000001"
    for language, text in (("en", "There is no such order."), ("sv", "Det finns ingen sådan order.")):
        told = await api.get(here, headers=PIECE | {"accept-language": language})
        assert told.status_code == 404
        assert told.headers["content-type"] == "application/problem+json"
        assert told.json()["detail"] == text
    program = await api.get(here, headers={"accept": "application/json", "accept-language": "sv"})
    assert program.json()["detail"] == "There is no such order."
    # What no catalogue knows is said by what its status says, not in English.
    lost = await api.get("/admin/nothing-here", headers=PIECE | {"accept-language": "nl"})
    assert lost.json()["detail"] == translator("nl").gettext(problem_words.TEXTS[404])
    assert lost.json()["title"] == translator("nl").gettext(problem_words.TITLES[404])

    async def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("samlad.orders.page", broken)
    failed = await api.get(here, headers=PIECE | {"accept-language": "sv"})
    assert failed.status_code == 500
    assert failed.json()["detail"] == translator("sv").gettext(problem_words.NOT_YOUR_FAULT)


async def test_a_page_that_is_too_old_is_told_to_be_loaded_anew(settings: Settings, market: Market) -> None:
    """Its cookies are other ones by now. That is no matter of anybody's role."""
    async with running(settings) as application:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://samlad.test") as guest:
            guest.headers["accept-language"] = "sv"
            await guest.get("/cart", headers={"accept": "text/html"})
            for headers in ({"accept": "text/html"}, PIECE):
                refused = await guest.post("/cart/lines", data={"_csrf": "x" * 43}, headers=headers)
                assert refused.status_code == 403
                assert translator("sv").gettext(problem_words.LOAD_ANEW) in refused.text
                assert translator("sv").gettext(problem_words.TEXTS[403]) not in refused.text


def test_a_form_never_says_the_english_title_of_a_problem() -> None:
    """What a verb says at fields only has no words of its own for above the form."""
    form = Form({}, translate=translator("sv").gettext)
    form.failed(InvalidInput("", errors=(FieldError("code", "is named twice"),)))
    assert form.message == "Något stämmer inte"
    assert form.errors["code"] == "Anges två gånger."
