"""Sheets, the price of a unit, picks; and bars that a real reader reads."""

import contextlib
import io

import pypdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel.problems import InvalidInput
from samlad.labels import Pick, drawing, rules
from samlad.labels.model import Tag

TEMPLATES = sorted(rules.TEMPLATES)


@given(st.lists(st.integers(1, 999), max_size=20), st.sampled_from(TEMPLATES), st.integers(0, 64))
def test_parts_have_every_label_once_on_whole_sheets(copies: list[int], template: str, used: int) -> None:
    a_page = rules.TEMPLATES[template].a_page
    skip = used % a_page
    wanted = [tag(code=str(number), copies=count) for number, count in enumerate(copies)]
    parts = rules.parts(wanted, a_page, skip)
    assert [t.code for part in parts for t in part for _ in range(t.copies)] == [
        str(number) for number, count in enumerate(copies) for _ in range(count)
    ]
    sizes = [sum(t.copies for t in part) for part in parts]
    assert all(size % a_page == 0 for size in [sizes[0] + skip, *sizes[1:-1]][: len(sizes) - 1])
    assert max(sizes) <= rules.A_PART


def tag(**fields: object) -> Tag:
    values = {
        "title": "Kettle",
        "options": "Red",
        "price": "199,00 kr",
        "unit_price": "",
        "lowest": "",
        "code": "7310865004703",
        "gtin": "7310865004703",
        "link": "https://shop.example/01/7310865004703",
    }
    return Tag(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TEMPLATES)
def test_labels_lie_beside_each_other_on_the_sheet(name: str) -> None:
    template = rules.TEMPLATES[name]
    places = [rules.place(template, index) for index in range(template.a_page + 1)]
    assert [each.page for each in places] == [0] * template.a_page + [1]
    for each in places[:-1]:
        assert each.x >= 0
        assert each.y >= -0.01
        assert each.x + template.width <= template.page_width + 0.01
        assert each.y + template.height <= template.page_height + 0.01
    boxes = [(each.x, each.y) for each in places[:-1]]
    for index, (x, y) in enumerate(boxes):
        for other_x, other_y in boxes[index + 1 :]:
            assert abs(x - other_x) >= template.width - 0.01 or abs(y - other_y) >= template.height - 0.01


@pytest.mark.parametrize(
    ("price", "content", "found"),
    [
        (1_990, "500 g", (3_980, "kg")),
        (1_990, "0,75 l", (2_653, "l")),
        (5_940, "6 x 33 cl", (3_000, "l")),
        (1_000, "3 m²", (333, "m²")),
        (900, "12 st", (75, "st")),
        (1_000, "6", None),
        (1_000, "0 g", None),
        (1_000, "large", None),
        (1_000, "", None),
    ],
)
def test_the_price_of_a_unit(price: int, content: str, found: tuple[int, str] | None) -> None:
    assert rules.unit_price(price, content) == found


@given(st.integers(1, 10**9), st.integers(1, 99_999), st.sampled_from(["g", "ml", "cm"]))
def test_a_unit_s_price_is_right_to_half_a_minor_unit(price: int, amount: int, unit: str) -> None:
    found = rules.unit_price(price, f"{amount} {unit}")
    assert found is not None
    factor = 100 if unit == "cm" else 1000
    assert abs(found[0] * amount - price * factor) * 2 <= amount


def test_picks_are_read_as_people_paste_them() -> None:
    text = "KETTLE;3\n\n 7310865004703\t2 \nMUG\nMUG\r\nLAMP,1"
    assert rules.picks(text) == [
        Pick("KETTLE", 3), Pick("7310865004703", 2), Pick("MUG", 2), Pick("LAMP", 1),
    ]  # fmt: skip
    for wrong in (
        "KETTLE;many",
        "KETTLE;0",
        "KETTLE;1000",
        "A;-1",
        "\n".join(f"S{n}" for n in range(10_001)),
    ):
        with pytest.raises(InvalidInput):
            rules.picks(wrong)


@given(st.text(max_size=200))
def test_any_text_is_picks_or_said_to_be_wrong(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        found = rules.picks(text)
        assert len({pick.code for pick in found}) == len(found)
        assert all(1 <= pick.copies <= 999 for pick in found)


def test_which_bars_hold_a_code() -> None:
    assert rules.bars_of("7310865004703") == "ean13"
    assert rules.bars_of("036000291452") == "ean13"
    assert rules.ean13("036000291452") == "0036000291452"
    assert rules.bars_of("96385074") == "ean8"
    assert rules.bars_of("17310865004700") == "code128"
    assert rules.bars_of(None) == "code128"


def codes_on(page: bytes) -> list[tuple[str, str]]:
    """What a reader finds on the first page at 300 dpi."""
    image = pypdfium2.PdfDocument(page)[0].render(scale=300 / 72).to_pil()
    return sorted((str(each.format).rpartition(".")[2], each.text) for each in zxingcpp.read_barcodes(image))


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_label_is_read_by_a_scanner(name: str) -> None:
    template = rules.TEMPLATES[name]
    tags = [
        tag(unit_price="398,00 kr/kg", lowest="Lägsta pris 30 dagar: 249,00 kr", title="Vattenkokare " * 6),
        tag(code="96385074", gtin="96385074", link="https://shop.example/01/96385074"),
        tag(code="MUG-032", gtin=None, link="https://shop.example/p/mug?variant=MUG-032"),
    ]
    made = drawing.pdf(template, tags)
    assert made == drawing.pdf(template, tags)
    pages = pypdf.PdfReader(io.BytesIO(made)).pages
    assert "199,00 kr" in pages[0].extract_text()
    if template.a_page == 1:
        assert len(pages) == 3
        assert {text for _kind, text in codes_on(made)} == {tags[0].code, tags[0].link}
        return
    found = codes_on(made)
    texts = {text for _kind, text in found}
    assert {each.code for each in tags} <= texts, found
    if template.height >= 30:
        assert {each.link for each in tags} <= texts, found


def test_copies_skipped_places_and_many_pages() -> None:
    template = rules.TEMPLATES["a4-3x8"]
    made = drawing.pdf(template, [tag(copies=25), tag(title="Last")], skip=22, with_qr=False)
    pages = pypdf.PdfReader(io.BytesIO(made)).pages
    assert [page.extract_text().count("199,00 kr") for page in pages] == [2, 24]
    assert "Last" in pages[1].extract_text()


def test_zpl_is_a_label_each_and_no_text_is_a_command() -> None:
    made = drawing.zpl(
        rules.TEMPLATES["roll-58x40"], [tag(copies=3), tag(title="^XZ~JA", code="A^B", gtin=None)]
    ).decode()
    assert made.count("^XA") == made.count("^XZ") == 2
    assert "^BEN,60,Y,N^FD731086500470^FS" in made
    assert "^PQ3^XZ" in made
    assert "~JA" not in made
    assert "A_5EB" in made
