"""Colours that can be read, and what of a brand is inherited."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from samlad.content import colour, theme
from samlad.content.brand_model import Brand, Face, Palette, Radius

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
MAYBE = st.none() | COLOURS
PALETTES = st.builds(Palette, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE)
BRANDS = st.builds(
    Brand,
    name=st.none() | st.sampled_from(["Hemma", "Loft"]),
    light=PALETTES,
    dark=PALETTES,
    radius=st.none() | st.sampled_from(Radius),
    body_face=st.none() | st.sampled_from(Face),
)


def test_contrast_is_that_of_wcag() -> None:
    assert colour.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colour.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert colour.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert colour.contrast("#0a6353", "#ffffff") == colour.contrast("#ffffff", "#0a6353")


@given(COLOURS, COLOURS)
def test_what_is_proposed_can_be_read_and_is_near(text: str, ground: str) -> None:
    better = colour.readable(text, [ground])
    assert colour.contrast(better, ground) >= colour.TEXT_RATIO
    if colour.contrast(text, ground) >= colour.TEXT_RATIO:
        assert better == text
    assert colour.contrast(colour.on(ground), ground) >= colour.TEXT_RATIO


@settings(max_examples=40, deadline=None)
@given(BRANDS)
@example(Brand(light=Palette(surface="#000000", text="#008393")))  # 4.498, which rounds to what is needed
def test_a_brand_without_findings_has_no_token_that_cannot_be_read(brand: Brand) -> None:
    found = theme.findings(brand)
    for each in found:
        assert each.ratio < each.needed
        assert re.fullmatch("#[0-9a-f]{6}", each.better)
    bad = {each.scheme for each in found}
    for scheme, palette in theme.palettes(brand).items():
        if scheme in bad:
            continue
        made = theme.tokens(palette)
        assert colour.contrast(made["accent"], made["accent-soft"]) >= 4.5
        for token in ("text", "accent", "accent-hover"):
            assert colour.lowest(made[token], [made["canvas"], made["surface"]]) >= 4.49, token


@settings(max_examples=40, deadline=None)
@given(st.lists(BRANDS, max_size=4))
def test_the_nearest_says_what_holds(line: list[Brand]) -> None:
    holds = theme.inherit(line)
    assert holds.name == next((each.name for each in line if each.name), None)
    assert holds.light.canvas == next((each.light.canvas for each in line if each.light.canvas), None)
    if line and line[0].light.accent:
        assert holds.light.on_accent == line[0].light.on_accent, "never another accent's"
    assert theme.inherit([holds]) == holds
    sheet = theme.style_sheet(holds)
    assert sheet.count("{") == sheet.count("}")
    assert "<" not in sheet


def test_the_programs_own_colours_are_those_of_its_style_sheet() -> None:
    css = Path("src/samlad/faces/design/static/samlad.css").read_text()
    for name in ("accent", "on-accent", "canvas", "surface", "text"):
        light, dark = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", css).groups()
        field = name.replace("-", "_")
        assert (getattr(theme.LIGHT, field), getattr(theme.DARK, field)) == (light, dark)
    assert theme.findings(Brand()) == []
    assert "light-dark" not in theme.style_sheet(Brand())
    found = theme.findings(Brand(light=Palette(accent="#ffd500")))
    assert [(each.scheme, each.token) for each in found] == [("light", "accent")]
    assert "4.5" not in theme.style_sheet(Brand(radius=Radius.NONE))
