"""HTTP of recommendations. Open to everybody: it tells of no person."""

from typing import Annotated
from uuid import UUID

from litestar import Router, get
from litestar.params import FromPath, QueryParameter

from samlad.catalog.api.parameters import ChannelCode, shop_of
from samlad.kernel.http import AnyRequest, database_of
from samlad.recommendations import service
from samlad.recommendations.model import Companion


@get("/products/{product_id:uuid}/together", summary="What is bought with a product")
async def list_together(
    request: AnyRequest,
    product_id: FromPath[UUID],
    channel: ChannelCode = None,
    limit: Annotated[int, QueryParameter(ge=1, le=50)] = 8,
) -> list[Companion]:
    """Products that are in the same orders, in the channel's pool of orders; what says most first."""
    shop = await shop_of(request, channel)
    return await service.together(database_of(request), shop, product_id, limit)


routes = [Router(path="/api", tags=["Recommendations"], route_handlers=[list_together])]
