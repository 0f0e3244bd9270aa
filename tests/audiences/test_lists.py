"""Static lists by import: the files that spreadsheets and mail programs write, and what is told of their rows."""

import codecs
import contextlib
import itertools

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience import Audience
from samlad.audiences import list_files, lists
from samlad.audiences.model import ListOutcome, Segment
from samlad.kernel.problems import InvalidInput

ROWS = [["Åsa", "asa@example.org"], ["Bo", "bo@example.org"]]


def cells(body: bytes) -> list[list[str]]:
    return [row for _, row in list_files.rows_of(body)]


def test_what_spreadsheets_write_is_read() -> None:
    """Excel's “CSV UTF-8”, its plain CSV (Windows-1252, semicolons) and its “Unicode text” (UTF-16, tabs)."""
    for encoding, separator, newline in itertools.product(
        ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"), ",;\t", ("\n", "\r\n", "\r")
    ):
        text = newline.join(separator.join(row) for row in [["Namn", "E-post"], *ROWS])
        told = (encoding, separator, newline)
        assert cells(text.encode(encoding)) == [["asa@example.org"], ["bo@example.org"]], told


def test_columns_are_known_by_the_names_that_others_give_them() -> None:
    known = {
        "First name,Email Address,Tags": 1,  # Mailchimp
        "Customer ID,First Name,Last Name": 0,  # Shopify
        "name,EMAIL_ADDRESS,x": 1,
        "Klant-ID,Naam,Telefoonnummer": 2,
        '"Kundnummer",Namn,Ort': 0,
        "Naam,Plaats,E-mailadres": 2,
    }
    for titles, place in known.items():
        assert cells(f"{titles}\n1,2,3".encode()) == [[str(place + 1)]], titles


def test_the_line_that_excel_puts_first_says_the_separator() -> None:
    assert list_files.rows_of(b"sep=;\r\na,b;email\r\nx;kim@example.org\r\n") == [(3, ["kim@example.org"])]


def test_a_file_whose_columns_nobody_knows_is_refused_and_not_read_as_names() -> None:
    with pytest.raises(InvalidInput, match="email"):
        list_files.rows_of(b"name;city\nKim;Lund\n")
    assert cells(b"kim@example.org;Kim\nbo@example.org;Bo\n") == [["kim@example.org"], ["bo@example.org"]]


@pytest.mark.parametrize(
    "body", [b'email\n"kim@example.org\nbo@example.org\n', b"a\x00b", b"PK\x03\x04\x00\x00"]
)
def test_what_is_no_csv_is_refused_whole(body: bytes) -> None:
    """A quote that is never closed would swallow all rows after it."""
    with pytest.raises(InvalidInput):
        list_files.rows_of(body)


@given(st.binary(max_size=300))
def test_no_file_breaks_it(body: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        assert all(number > 0 for number, _ in list_files.rows_of(body))


async def listed(audience: Audience, segment: Segment, body: bytes) -> ListOutcome:
    return await audience.db.transaction(lambda tx: lists.import_csv(tx, segment.id, body))


async def test_rows_are_numbered_as_the_spreadsheet_shows_them_and_add_up(audience: Audience) -> None:
    kim = await audience.person(email="kim@example.org", phone="070-123 45 67", country="SE")
    await audience.follow()
    segment = await audience.segment("Fair", None)
    body = (
        codecs.BOM_UTF8
        + b"email;phone\r\nkim@example.org;\r\n\r\n;\r\nnobody@example.org;\r\n;070-1234567\r\nKIM@example.org;\r\n"
    )
    found = await listed(audience, segment, body)
    assert [(each.row, each.reason) for each in found.unmatched] == [(5, "unknown")]
    assert (found.rows, found.added, found.already, found.repeated, found.unmatched_rows) == (4, 1, 0, 2, 1)
    again = await listed(audience, segment, body)
    assert (again.rows, again.added, again.already, again.repeated, again.unmatched_rows) == (4, 0, 1, 2, 1)
    await audience.follow()
    assert await audience.members(segment.id) == {kim}


async def test_numbers_as_spreadsheets_leave_them(audience: Audience) -> None:
    """A spreadsheet takes the plus and the zeros off a number; our own files have an apostrophe before the plus."""
    await audience.person(phone="070-123 45 67", country="SE")
    await audience.follow()
    segment = await audience.segment("Fair", None)
    numbers = ["'+46701234567", "46701234567", "701234567", "0046701234567", "\u00a0+46 70-123 45 67"]
    found = await listed(audience, segment, "\n".join(["phone", *numbers]).encode())
    assert (found.added, found.repeated, found.unmatched) == (1, 4, [])


async def test_one_person_with_several_rows_is_one(audience: Audience) -> None:
    """Two customers who were found to be one person are not “several”."""
    kim = await audience.person(email="kim@example.org", external_id="K1")
    also = await audience.person(email="kim@work.example", external_id="17")
    other = await audience.person(email="17@example.org", external_id="18")
    await audience.follow()
    await audience.merge(kim, also)
    await audience.follow()
    segment = await audience.segment("Fair", None)
    await audience.db.transaction(
        lambda tx: tx.execute("UPDATE customer SET phone = 'front desk' WHERE id = ANY ($1)", [kim, also])
    )
    found = await listed(audience, segment, b"front desk\nkim@work.example\nkim@example.org\n")
    assert (found.added, found.already, found.repeated, found.unmatched) == (1, 0, 2, [])
    again = await listed(audience, segment, b"K1\n17\n18\n")
    assert (again.added, again.already, again.repeated, again.unmatched) == (1, 1, 1, [])
    await audience.follow()
    assert len(await audience.members(segment.id)) == 2
    assert other in await audience.members(segment.id)


async def test_what_is_typed_has_a_name_for_each_line_or_comma(
    audience: Audience, api: httpx.AsyncClient
) -> None:
    """As a mail program copies its addresses."""
    people = [await audience.person(email=f"{name}@example.org") for name in ("kim", "bo", "lou", "sam")]
    segment = await audience.segment("Typed", None)
    typed = (
        'Kim Berg <kim@example.org>, "Bo" <bo@example.org>;lou@example.org\r\n\r\nsam@example.org\nname, city'
    )
    shown = await api.post(f"/admin/segments/{segment.id}/list", data={"people": typed})
    assert shown.status_code == 200, shown.text
    assert "4 customers are new on the list" in shown.text
    assert "Row 5" in shown.text
    await audience.follow()
    assert await audience.members(segment.id) == set(people)
