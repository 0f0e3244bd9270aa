"""What verbs refuse is said in the reader's language: each sentence of every package is known."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import samlad
from samlad import app
from samlad.faces import objections
from samlad.kernel.i18n import translator
from samlad.kernel.problems import NotFound, Problem
from samlad.tracking.model import WireProblem

ROOT = Path(samlad.__file__).parent
assert app  # with it every kind of problem is there
NOT_HERE = {"bench", "cli", "demo", "faces", "kernel", "locale", "web"}
"""Folders that are no packages of verbs, or speak to whoever runs the server."""
PACKAGES = sorted(
    path.name for path in ROOT.iterdir() if (path / "__init__.py").exists() and path.name not in NOT_HERE
)


def _kinds(kind: type[Problem]) -> set[str]:
    """Every kind of problem; those of protocols speak to programs, and what is not there has a page of its own."""
    if issubclass(kind, WireProblem | NotFound):
        return set()
    return {kind.__name__}.union(*(_kinds(each) for each in kind.__subclasses__()))


KINDS = {"FieldError"} | _kinds(Problem) - {"Problem"}
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
    "channels": {"“7” is 7"},  # what it is stands in a sentence of its own
    "documents": {"not 7"},
    "promotions": {"7: 7"},
    "stock": {"“7” 7", "there is no such 7"},  # made of sentences that are known
}
"""Sentences that no person meets, with 7 in their holes."""


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)
    return None


def _refusals(package: str) -> Iterator[tuple[str, str]]:
    """What the modules of a package may refuse, and where."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            is_at = isinstance(node.func, ast.Attribute) and node.func.attr == "at" and len(node.args) > 1
            kind = node.func.id if isinstance(node.func, ast.Name) else ""
            if is_at or (kind == "FieldError" and len(node.args) > 1):
                text = _text(node.args[1])
            elif kind in KINDS:
                text = _text(node.args[0])
            else:
                continue
            if text and re.search("[A-Za-z]{2}", text):  # a sentence; not what only joins others
                yield text, f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("locale", ["sv", "nl"])
def test_no_refusal_is_only_english(locale: str) -> None:
    translate = translator(locale).gettext
    missing = [
        f"{where}: {text}"
        for package in PACKAGES
        for text, where in _refusals(package)
        if text not in FOR_MACHINES.get(package, ()) and objections.said(translate, text) == text
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
