"""Which version is shown, what Markdown becomes, and what a redirect file is."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.content import markdown, redirects, rules
from samlad.content.model import Document, Hero, Link, Recommend, Shelf, Text, Version, Words
from samlad.kernel.problems import InvalidInput

DAY = datetime(2026, 12, 1, tzinfo=UTC)


def version(number: int, since: int | None = None, until: int | None = None, **fields) -> Version:
    """A version that was published on day ``number``; days after 1 December."""
    return Version(
        number=number,
        shown_from=None if since is None else DAY + timedelta(days=since),
        shown_until=None if until is None else DAY + timedelta(days=until),
        withdrawn_at=fields.get("withdrawn_at"),
        published_at=DAY + timedelta(days=number),
        published_by="Olivia",
    )


def test_christmas_goes_before_every_day_and_ends_by_itself() -> None:
    everyday, christmas, later = version(1), version(2, 10, 26), version(3)
    every = [everyday, christmas, later]

    def at(day: int) -> int | None:
        found = rules.shown(every, DAY + timedelta(days=day))
        return found and found.number

    assert [at(5), at(10), at(25), at(26)] == [3, 2, 2, 3]
    planned = [version(1), version(2, 10), version(3)]
    assert rules.shown(planned, DAY + timedelta(days=11)).number == 2, (
        "planned for that day, so it begins then"
    )
    assert rules.shown([], DAY) is None
    assert rules.shown([version(1, withdrawn_at=DAY)], DAY + timedelta(days=2)) is None


WORDS = st.builds(Words, en=st.sampled_from(["", "Hello"]), sv=st.sampled_from(["", "Hej"]), nl=st.just(""))


@given(WORDS, st.sampled_from(["en", "sv", "nl", "fr"]), st.sampled_from(["en", "sv"]))
def test_a_text_falls_back_to_one_that_is_there(words: Words, language: str, own: str) -> None:
    said = rules.said(words, language, own)
    assert bool(said) == bool(words.en or words.sv)
    if getattr(words, language, ""):
        assert said == getattr(words, language)
    elif getattr(words, own):
        assert said == getattr(words, own)


@given(st.lists(st.integers(0, 9), unique=True, min_size=1), st.data())
def test_moving_changes_order_and_nothing_else(numbers: list[int], data) -> None:
    blocks = [Recommend(id=f"b{number}") for number in numbers]
    chosen = data.draw(st.sampled_from(blocks))
    by = data.draw(st.sampled_from([-1, 1]))
    after = rules.moved(blocks, chosen.id, by)
    assert sorted(b.id for b in after) == sorted(b.id for b in blocks)
    assert [b for b in after if b != chosen] == [b for b in blocks if b != chosen]
    back = rules.moved(after, chosen.id, blocks.index(chosen) - after.index(chosen))
    assert back == blocks


def test_what_is_not_finished_is_said_where_it_is() -> None:
    blocks = [Hero(id="a", button=Words(en="Go")), Text(id="b"), Shelf(id="c"), Recommend(id="d")]
    with pytest.raises(InvalidInput) as caught:
        rules.check_document(Document(blocks=blocks))
    assert [error.field for error in caught.value.errors] == [
        "blocks/0/href", "blocks/0/text", "blocks/1/text", "blocks/2/goods",
    ]  # fmt: skip
    rules.check_document(rules.start_document())
    with pytest.raises(InvalidInput):
        rules.check_ids(Document(blocks=[Text(id="a"), Text(id="a")]))


ATTACKS = (
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    '<img src=x onerror="alert(1)">',
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    '[x](https://a.example "><script>alert(1)</script>")',
    "<style>*{display:none}</style>",
    "[x]: javascript:alert(1)\n[x]",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_lets_nothing_harmful_through(attack: str) -> None:
    made = str(markdown.html(attack))
    tags = set(re.findall(r"<\s*([a-z0-9]+)", made))
    assert tags <= {"p", "a"}, made
    assert not re.search(r'(href|src)="(javascript|data):', made)
    assert not re.search(r"<[^>]*\son\w+=", made)


@given(st.text(alphabet="<>\"'=/&[]()!#*_-` \nabjs:", max_size=60))
def test_markdown_of_anything_has_only_what_is_allowed(text: str) -> None:
    made = str(markdown.html(text))
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", made))
    assert tags <= {
        "p",
        "h2",
        "h3",
        "h4",
        "strong",
        "em",
        "ul",
        "ol",
        "li",
        "a",
        "blockquote",
        "br",
        "hr",
        "code",
    }


def test_markdown_does_what_people_write() -> None:
    made = str(markdown.html("# Om oss\n\nVi **säljer** *saker*, [här](/search).\n\n- ett\n- två"))
    assert "<h2>Om oss</h2>" in made
    assert "<strong>säljer</strong>" in made
    assert 'href="/search"' in made
    assert "<li>ett</li>" in made
    assert (
        markdown.plain("# A & B\n\nmany words here", 8) == "A &amp; B…"
        or len(markdown.plain("x " * 50, 20)) <= 21
    )


def test_footers_have_columns() -> None:
    items = [Link(Words(en="Stray"), "/a"), Link(Words(en="Help", sv="Hjälp")), Link(Words(en="Write"), "/b")]
    made = rules.columns(items, "sv", "en")
    assert [(column.title, column.links) for column in made] == [
        ("", [("Stray", "/a")]),
        ("Hjälp", [("Write", "/b")]),
    ]


def test_redirect_files_of_other_shops_are_read() -> None:
    shopify = "Redirect from,Redirect to\nhttps://old.example/products/k%C3%A4ttil?x=1,/p/kettle\n/b,/c\n"
    assert [(r.source, r.target) for r in redirects.read_csv(shopify)] == [
        ("/products/kättil", "/p/kettle"),
        ("/b", "/c"),
    ]
    assert (
        redirects.read_csv("\ufeffsource;target\n/a;https://b.example/\n")[0].target == "https://b.example/"
    )
    for bad, said in (
        ("a,b\n1,2", "source and target"),
        ("source,target\n/a,javascript:alert(1)", "line 2"),
        ("source,target\n", "nothing"),
        ("source,target\n//evil.example,/a", "line 2"),
    ):
        with pytest.raises(InvalidInput) as caught:
            redirects.read_csv(bad)
        assert said in caught.value.errors[0].message
