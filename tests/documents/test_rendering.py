"""How documents look and read: in three languages, on paper, on a till printer."""

import io

import msgspec
import pypdf
import pytest
from printed import AT, SELLER, line, printed

from samlad.documents import escpos_receipt, rendering
from samlad.documents.model import Step
from samlad.documents.writing import Writer


def text_of(pdf: bytes) -> str:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return text.replace("\xa0", " ")


def paper(**fields: object) -> str:
    return text_of(rendering.make_pdf(rendering.html(printed(**fields), is_paged=True)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("locale", "title", "total"),
    [("en", "Invoice", "SEK 775.00"), ("sv", "Faktura", "775,00 kr"), ("nl", "Factuur", "SEK 775,00")],
)
def test_an_invoice_can_be_read_out_of_its_pdf_in_each_language(locale: str, title: str, total: str) -> None:
    text = paper(locale=locale)
    for wanted in (title, "2026-000007", total, "SE556721204701", "Kopparkittel", "Godkänd för F-skatt"):
        assert wanted in text
    assert "SE45 5000 0000 0583 9825 7466" in text
    assert "RF3210001" in text


def test_a_credit_note_names_its_invoice_and_why() -> None:
    text = paper(kind="credit_note")
    assert "2026-000003" in text
    assert "Goods came back" in text
    assert "How to pay" not in text


def test_many_lines_go_over_pages_with_their_heads_and_the_seller_on_each() -> None:
    pdf = rendering.make_pdf(
        rendering.html(printed([line(n, 10_000 + n) for n in range(1, 80)]), is_paged=True)
    )
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    assert len(pages) > 2
    assert all("Kök & Kaffe AB" in page for page in pages)
    assert all(f"{number} / {len(pages)}" in page for number, page in enumerate(pages, 1))
    assert all("DESCRIPTION" in page.upper() for page in pages[:-1])


def test_a_name_from_right_to_left_is_kept_apart_from_what_is_beside_it() -> None:
    html = rendering.html(printed())
    assert '<bdi class="strong" dir="auto">دار القهوة للتجارة</bdi>' in html


def test_what_a_stranger_typed_is_text() -> None:
    html = rendering.html(printed([line(1, 100, title="<script>alert(1)</script>")]))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_nothing_is_fetched_for_a_pdf(tmp_path: object) -> None:
    secret = "file:///etc/hostname"
    made = rendering.make_pdf(
        f'<p>before</p><img src="{secret}"><iframe src="{secret}"></iframe><p>after</p>'
    )
    assert "after" in text_of(made)


def test_the_style_of_a_page_is_the_one_that_its_policy_names() -> None:
    assert f"<style>{rendering.STYLE}</style>" in rendering.html(printed())
    assert "'unsafe-inline'" not in rendering.CONTENT_POLICY


def test_where_no_tax_is_charged_it_says_why() -> None:
    goods = [line(1, 10_000, rate=0, category="AE")]
    assert rendering.tax_notes(printed(goods), Writer("en", "UTC", "SEK", "SE")) == [
        "Reverse charge: the customer owes the VAT, article 196 of Directive 2006/112/EC."
    ]
    own = [line(1, 10_000, rate=0, category="G", note="Article 146")]
    assert rendering.tax_notes(printed(own), Writer("en", "UTC", "SEK", "SE")) == ["Article 146"]
    both = [
        line(n, 10_000, rate=0, category="E", note=note) for n, note in enumerate(("Margin", "", "Margin"), 1)
    ]
    assert rendering.tax_notes(printed(both), Writer("en", "UTC", "SEK", "SE")) == [
        "Margin",
        "Exempt from VAT.",
    ]


@pytest.mark.parametrize(
    ("country", "due", "at"),
    [
        ("SE", "25 December 2026", "25 Nov 2026 15:30"),
        ("GB", "25 December 2026", "25 Nov 2026 15:30"),
        ("US", "December 25, 2026", "Nov 25, 2026 3:30\u202fPM"),
    ],
)
def test_english_papers_are_dated_as_in_the_sellers_country(country: str, due: str, at: str) -> None:
    seller = msgspec.structs.replace(SELLER, country=country)
    assert due in rendering.html(printed(seller=seller))
    assert at in rendering.html(printed(kind="receipt", seller=seller))
    swedish = rendering.html(printed(seller=seller, locale="sv"))
    assert "25 december 2026" in swedish


# -- the till printer --------------------------------------------------------------------------------------------------------

INIT, PAGE_858, CUT, QR = b"\x1b@", b"\x1bt\x13", b"\x1dV", b"\x1d(k"


def slip(columns: int = 42, **fields: object) -> bytes:
    wanted = {"kind": "receipt", "locale": "sv", "currency": "EUR", "place": "Malmö"} | fields
    is_copy = bool(wanted.pop("is_copy", False))
    return escpos_receipt.receipt(printed(**wanted), columns=columns, is_copy=is_copy)  # type: ignore[arg-type]


def words(made: bytes) -> list[str]:
    return made.decode("cp858", errors="replace").split("\n")


def test_a_receipt_is_bytes_for_a_printer() -> None:
    made = slip()
    assert made.startswith(INIT)
    assert PAGE_858 in made[:6]
    assert CUT in made[-8:]
    assert "för".encode("cp858") in made
    assert "597,00 €".encode("cp858") in made
    assert QR in made
    assert b"1P02026-000007" in made  # the printer draws the code itself


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_no_line_is_longer_than_the_paper_and_amounts_stand_at_its_edge(columns: int) -> None:
    long = [
        line(
            1, 1_234_500, title="En mycket lång benämning av en vara " * 3, reductions=[Step("Rea" * 30, 10)]
        )
    ]
    for made in (slip(columns), escpos_receipt.receipt(printed(long, kind="receipt"), columns=columns)):  # type: ignore[arg-type]
        printable = ["".join(c for c in row if c.isprintable()) for row in words(made)]
        rows = [row for row in printable if row.endswith(("€", "00")) and "x" not in row]
        assert all(len(row) <= columns + 12 for row in printable)  # commands before a line are letters, too
        assert rows
        dashes = [row for row in printable if row.endswith("-" * columns)]
        assert len(dashes) == 3


def test_a_copy_says_so_twice_and_an_original_does_not() -> None:
    copy = "KOPIA".encode("cp858")
    assert slip(is_copy=True).count(copy) == 2
    assert copy not in slip()


def test_letters_of_other_code_pages_are_found_and_none_is_a_command() -> None:
    made = slip(footer="Łódź \x1bp\x00 漢字 ok")
    assert "Łód".encode("cp852")[:1] in made
    assert b"\x1bp" not in made  # the drawer stays shut
    assert b"?? ok" in made


def test_a_receipt_is_of_the_shops_clock() -> None:
    assert any("15:30" in row for row in words(slip()))
    assert AT.hour == 14
