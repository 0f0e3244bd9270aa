"""Privacy: giving people everything that is known of them, and erasing it.

The public face: what the floors above may use. `docs/concepts/privacy.md` explains.
"""

from samlad.privacy.holdings import ABOUT, WHY_KEPT
from samlad.privacy.model import Excerpt, Export, PrivacyRequest, RequestInput, RequestKind, RequestState
from samlad.privacy.permissions import ERASE, EXPORT, READ
from samlad.privacy.service import ask, cancel, download, excerpt, file, get
from samlad.privacy.store import LISTING

__all__ = [
    "ABOUT",
    "ERASE",
    "EXPORT",
    "LISTING",
    "READ",
    "WHY_KEPT",
    "Excerpt",
    "Export",
    "PrivacyRequest",
    "RequestInput",
    "RequestKind",
    "RequestState",
    "ask",
    "cancel",
    "download",
    "excerpt",
    "file",
    "get",
]
