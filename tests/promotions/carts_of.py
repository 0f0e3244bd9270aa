"""Carts and promotions made up by Hypothesis, and by the script that makes the vectors."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from samlad.promotions.rules import Line, Offer
from samlad.promotions.terms import (
    AmountOff,
    Bundle,
    BundlePart,
    BuyGet,
    Combination,
    Effect,
    FixedPrice,
    FreeShipping,
    Gift,
    Goods,
    Percent,
    Terms,
    Tier,
    Tiers,
)

VARIANTS = [UUID(int=number) for number in range(1, 6)]
BRANDS = ["Fika", "Lagom"]


def goods() -> st.SearchStrategy[Goods]:
    return st.builds(
        Goods,
        variants=st.lists(st.sampled_from(VARIANTS), max_size=2, unique=True),
        brands=st.lists(st.sampled_from(BRANDS), max_size=1),
    )


def some_goods() -> st.SearchStrategy[Goods]:
    return st.builds(Goods, variants=st.lists(st.sampled_from(VARIANTS), min_size=1, max_size=3, unique=True))


def tiers() -> st.SearchStrategy[Tiers]:
    tier = st.builds(Tier, at_least=st.integers(1, 3_000), percent=st.integers(1, 10_000)) | st.builds(
        Tier, at_least=st.integers(1, 3_000), amount=st.integers(1, 5_000)
    )
    return st.builds(
        Tiers,
        by_quantity=st.booleans(),
        tiers=st.lists(tier, min_size=1, max_size=3, unique_by=lambda each: each.at_least),
    )


def effects() -> st.SearchStrategy[Effect]:
    times = st.none() | st.integers(1, 3)
    return st.one_of(
        st.builds(Percent, percent=st.integers(1, 10_000)),
        st.builds(AmountOff, amount=st.integers(1, 5_000), each=st.booleans()),
        st.builds(FixedPrice, price=st.integers(0, 2_000)),
        st.builds(
            BuyGet,
            buy=st.integers(1, 3),
            get=st.integers(1, 2),
            percent=st.sampled_from([10_000, 5_000, 3_333]),
            get_goods=st.none() | some_goods(),
            times=times,
        ),
        tiers(),
        st.builds(
            Bundle,
            parts=st.lists(
                st.builds(BundlePart, goods=some_goods(), quantity=st.integers(1, 2)), min_size=1, max_size=3
            ),
            price=st.integers(0, 4_000),
            times=times,
        ),
        st.builds(FreeShipping, at_most=st.none() | st.integers(1, 5_000)),
        st.builds(Gift, variant=st.sampled_from(VARIANTS), quantity=st.integers(1, 2)),
    )


def offers(most: int = 4) -> st.SearchStrategy[list[Offer]]:
    one = st.builds(
        Offer,
        id=st.sampled_from("ABCDEFGH"),
        name=st.just("An offer"),
        terms=st.builds(
            Terms,
            effect=effects(),
            goods=goods(),
            minimum_amount=st.sampled_from([0, 0, 0, 1_000]),
            minimum_quantity=st.sampled_from([0, 0, 0, 3]),
        ),
        priority=st.integers(0, 2),
        combination=st.sampled_from(Combination),
        left=st.none() | st.integers(0, 3_000),
    )
    return st.lists(one, max_size=most, unique_by=lambda each: each.id)


@st.composite
def lines(draw: Any) -> list[Line]:
    chosen = draw(st.lists(st.sampled_from(VARIANTS), max_size=5, unique=True))
    return [
        Line(
            key=str(variant),
            price=draw(st.integers(0, 2_999)),
            quantity=draw(st.integers(1, 7)),
            marks=frozenset(
                {
                    f"variant:{variant}",
                    f"product:{UUID(int=100 + variant.int // 2)}",
                    f"brand:{BRANDS[variant.int % 2].casefold()}",
                }
            ),
        )
        for variant in chosen
    ]
