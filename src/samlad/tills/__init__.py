"""Tills that sell without network: their journals come in, leases of stock, and the data that they carry.

The public face; `docs/concepts/tills.md` explains.
"""

from samlad.tills.desk import Desk, desk_of
from samlad.tills.gaps import look as look_at_numbers
from samlad.tills.gaps import missing
from samlad.tills.gift_cards import note as note_card
from samlad.tills.journal import record, record_batch
from samlad.tills.leases import give_back, of_till, renew, take
from samlad.tills.model import (
    KeptSale,
    Lease,
    LeaseInput,
    LeaseLine,
    LeaseOf,
    LookInput,
    NameGoodsInput,
    NotToResolve,
    Objection,
    Sale,
    SaleRow,
    SaleState,
    Verdict,
    WriteOffInput,
)
from samlad.tills.pack import Pack
from samlad.tills.pack import load as load_pack
from samlad.tills.permissions import KIOSK, READ, RECORD, RESOLVE
from samlad.tills.resolving import get, name_goods, settle, write_off
from samlad.tills.store import SALES, DevicesSeen, devices_seen, waiting

__all__ = [
    "KIOSK",
    "READ",
    "RECORD",
    "RESOLVE",
    "SALES",
    "Desk",
    "DevicesSeen",
    "KeptSale",
    "Lease",
    "LeaseInput",
    "LeaseLine",
    "LeaseOf",
    "LookInput",
    "NameGoodsInput",
    "NotToResolve",
    "Objection",
    "Pack",
    "Sale",
    "SaleRow",
    "SaleState",
    "Verdict",
    "WriteOffInput",
    "desk_of",
    "devices_seen",
    "get",
    "give_back",
    "load_pack",
    "look_at_numbers",
    "missing",
    "name_goods",
    "note_card",
    "of_till",
    "record",
    "record_batch",
    "renew",
    "settle",
    "take",
    "waiting",
    "write_off",
]
