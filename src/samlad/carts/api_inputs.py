"""What the handlers of carts take alike."""

from typing import Annotated

import msgspec
from litestar.params import HeaderParameter

CartToken = Annotated[
    str | None,
    HeaderParameter(
        name="Cart-Token",
        description="The token that came with a guest's cart",
        max_length=100,
        required=False,
    ),
]


LineVersion = Annotated[
    int,
    msgspec.Meta(
        ge=1,
        le=2**31 - 1,
        description="Version of the line that you saw: 409 `line-changed` if it is another one now",
        examples=[2],
    ),
]
