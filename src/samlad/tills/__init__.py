"""Tills that sell without network: their journals come in, leases of stock, and the data that they carry.

The public face; `docs/concepts/tills.md` explains.
"""

from samlad.tills.desk import Desk, desk_of
from samlad.tills.device_store import DEVICES
from samlad.tills.devices import bring_back, heard, holding, of_sessions, put_away
from samlad.tills.devices import get as get_device
from samlad.tills.devices import rename as rename_device
from samlad.tills.gaps import look as look_at_numbers
from samlad.tills.gaps import missing
from samlad.tills.gift_cards import note as note_card
from samlad.tills.journal import record, record_batch
from samlad.tills.key_store import KEYS
from samlad.tills.keys import Checked
from samlad.tills.keys import check as check_receipt
from samlad.tills.keys import get as get_key
from samlad.tills.keys import name as name_key
from samlad.tills.keys import restore as restore_key
from samlad.tills.keys import revoke as revoke_key
from samlad.tills.keys import revoke_of_session as revoke_keys_of_session
from samlad.tills.leases import give_back, of_till, renew, take
from samlad.tills.model import (
    Device,
    HeardInput,
    KeptSale,
    Lease,
    LeaseInput,
    LeaseLine,
    LeaseOf,
    LookInput,
    NameDeviceInput,
    NameGoodsInput,
    NotToResolve,
    Objection,
    PutAwayInput,
    RestoreInput,
    RevokeInput,
    Sale,
    SaleRow,
    SaleState,
    TillKey,
    TillKeyInput,
    Verdict,
    WriteOffInput,
)
from samlad.tills.pack import Pack
from samlad.tills.pack import load as load_pack
from samlad.tills.permissions import KIOSK, READ, RECORD, RESOLVE
from samlad.tills.resolving import get, name_goods, settle, write_off
from samlad.tills.signed import code_in
from samlad.tills.store import SALES, DevicesSeen, devices_seen, waiting

__all__ = [
    "DEVICES",
    "KEYS",
    "KIOSK",
    "READ",
    "RECORD",
    "RESOLVE",
    "SALES",
    "Checked",
    "Desk",
    "Device",
    "DevicesSeen",
    "HeardInput",
    "KeptSale",
    "Lease",
    "LeaseInput",
    "LeaseLine",
    "LeaseOf",
    "LookInput",
    "NameDeviceInput",
    "NameGoodsInput",
    "NotToResolve",
    "Objection",
    "Pack",
    "PutAwayInput",
    "RestoreInput",
    "RevokeInput",
    "Sale",
    "SaleRow",
    "SaleState",
    "TillKey",
    "TillKeyInput",
    "Verdict",
    "WriteOffInput",
    "bring_back",
    "check_receipt",
    "code_in",
    "desk_of",
    "devices_seen",
    "get",
    "get_device",
    "get_key",
    "give_back",
    "heard",
    "holding",
    "load_pack",
    "look_at_numbers",
    "missing",
    "name_goods",
    "name_key",
    "note_card",
    "of_sessions",
    "of_till",
    "put_away",
    "record",
    "record_batch",
    "rename_device",
    "renew",
    "restore_key",
    "revoke_key",
    "revoke_keys_of_session",
    "settle",
    "take",
    "waiting",
    "write_off",
]
