"""What the handlers of carts take alike."""

from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.params import HeaderParameter

AnyRequest = Request[Any, Any, Any]
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
