"""Parameters of the books' API that several of its modules have."""

from typing import Annotated

from litestar.params import QueryParameter

FirstDay = Annotated[
    str | None, QueryParameter(name="from", max_length=20, description="First day, YYYY-MM-DD")
]
LastDay = Annotated[
    str | None, QueryParameter(name="to", max_length=20, description="Last day, YYYY-MM-DD; included")
]
