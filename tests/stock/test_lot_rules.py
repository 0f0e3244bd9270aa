"""What a barcode says, and whether a line names its lot: without a database."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.catalog import Tracking
from samlad.stock.lots_model import Lot, Named
from samlad.stock.lots_rules import check
from samlad.stock.scanning import Scan, read

GTIN, DAY = "07310865004703", date(2027, 3, 31)
MILK, LOT = UUID(int=1), UUID(int=2)
# Of GS1's characters those that no fixed part of an element string could be taken for.
codes = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-/", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "scan"),
    [
        (f"]d201{GTIN}17270331", Scan(GTIN, expires_on=DAY)),
        (f"]C101{GTIN}1727033110L2417", Scan(GTIN, "L2417", expires_on=DAY)),
        (f"01{GTIN}10L2417\x1d1727033121S9", Scan(GTIN, "L2417", "S9", DAY)),
        (f"01{GTIN}10L2417|17270331", Scan(GTIN, "L2417", expires_on=DAY)),
        (f"(01){GTIN}(10)L2417(17)270331", Scan(GTIN, "L2417", expires_on=DAY)),
        (f"https://id.gs1.org/01/{GTIN}/10/L2417?17=270331", Scan(GTIN, "L2417", expires_on=DAY)),
        (f"01{GTIN}17270331\x1d15270201", Scan(GTIN, expires_on=DAY)),
        (f"01{GTIN}15270200", Scan(GTIN, expires_on=date(2027, 2, 28))),
        ("7310865004703", Scan("7310865004703")),
        ("KTL-150", Scan("KTL-150")),
        ("0123456789012345678", Scan("0123456789012345678")),
        ("]d2", Scan("]d2")),
        ("http://", Scan("http://")),
        ("(01)", Scan("(01)")),
        ("", Scan("")),
    ],
)
def test_what_a_barcode_says(text: str, scan: Scan) -> None:
    assert read(text) == scan


@given(codes, codes)
def test_lot_and_serial_number_come_back_as_they_were_written(lot: str, serial: str) -> None:
    assert read(f"]d201{GTIN}10{lot}\x1d21{serial}") == Scan(GTIN, lot, serial)


@given(st.text(max_size=100))
def test_whatever_is_scanned_is_some_code(text: str) -> None:
    assert isinstance(read(text), Scan)


def problems(
    line: Named, how: Tracking, lot: Lot | None = None, *, new: bool = True, needed: bool = True
) -> list[str]:
    known = {} if lot is None else {(lot.variant, lot.code): lot}
    found = check([line], {MILK: how}, known, may_be_new=new, is_needed=needed)
    return [error.field.removeprefix("lines/0/") for error in found]


def test_a_line_says_what_its_product_asks_for() -> None:
    dated = Lot(LOT, MILK, "A", DAY, None, 1)
    assert problems(Named(MILK, 1), Tracking.NONE) == []
    assert problems(Named(MILK, 1, "A"), Tracking.NONE) == ["lot"]
    assert problems(Named(MILK, 1, "A", is_scanned=True), Tracking.NONE) == []
    assert problems(Named(MILK, 1), Tracking.LOT) == ["lot"]
    assert problems(Named(MILK, 1), Tracking.LOT, needed=False) == []
    assert problems(Named(MILK, 1, "A"), Tracking.LOT) == []
    assert problems(Named(MILK, 1, "A"), Tracking.LOT, new=False) == ["lot"]
    assert problems(Named(MILK, 1, "A"), Tracking.EXPIRY) == ["expires_on"]
    assert problems(Named(MILK, 1, "A"), Tracking.EXPIRY, dated) == []
    assert problems(Named(MILK, 1, "A", DAY), Tracking.EXPIRY) == []
    assert problems(Named(MILK, 1, "A", date(2027, 4, 1)), Tracking.EXPIRY, dated) == ["expires_on"]
    assert problems(Named(MILK, 2, "A"), Tracking.SERIAL) == ["quantity"]
    assert problems(Named(MILK, -1, "A"), Tracking.SERIAL) == []


def test_two_lines_of_a_new_lot_agree_on_its_date() -> None:
    lines = [Named(MILK, 1, "A", DAY), Named(MILK, 1, "A"), Named(MILK, 1, "A", date(2027, 4, 1))]
    found = check(lines, {MILK: Tracking.EXPIRY}, {}, may_be_new=True, is_needed=True)
    assert [error.field for error in found] == ["lines/2/expires_on"]
