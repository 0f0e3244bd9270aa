"""What customers keep in their accounts, as parts of everything that is known of them."""

from typing import Any
from uuid import UUID

from samlad import profile
from samlad.accounts import keeping_store
from samlad.kernel.database import Reader
from samlad.profile import Preferences


async def _read(reader: Reader, customer: UUID) -> dict[str, Any]:
    kept = await keeping_store.kept_by(reader, customer)
    preferences = Preferences(language=kept.language, favourite_store=kept.store)
    return {"preferences": preferences, "sizes": kept.sizes}


profile.provide("preferences", "sizes", read=_read)
