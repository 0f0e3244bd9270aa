"""Which addresses printers may have, and what their status bytes mean: decided without a network.

Status: Epson's ESC/POS reference, `DLE EOT n` (real time) and `GS r 1` (answered once all before it is done).
"""

import ipaddress
from collections.abc import Callable

from samlad.kernel.i18n import marked
from samlad.kernel.outside import Address
from samlad.kernel.problems import InvalidInput

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200")))
"""Where clouds tell a machine its own secrets; the second lies among private addresses."""
NO_PAPER = marked("There is no paper.")
COVER_OPEN = marked("The cover is open.")
OUT_OF_ORDER = marked("The printer says that something is wrong with it.")


def networks(text: str) -> list[Network]:
    """Networks of a setting: comma-separated addresses or networks.

    Raises:
        InvalidInput: one is none.
    """
    found: list[Network] = []
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            found.append(ipaddress.ip_network(part, strict=False))
        except ValueError:
            raise InvalidInput(
                f"Settings: printer_networks has {part!r}, which is no address or network."
            ) from None
    return found


def ports(text: str) -> list[range]:
    """Ports of a setting: comma-separated numbers and ranges.

    Raises:
        InvalidInput: one is none.
    """
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        first, dash, last = part.partition("-")
        try:
            found.append(range(int(first), int(last if dash else first) + 1))
        except ValueError:
            raise InvalidInput(
                f"Settings: printer_ports has {part!r}, which is no port or range of them."
            ) from None
    return found


def allows(allowed: list[Network]) -> Callable[[Address], bool]:
    """Whether a printer may be at an address: in an allowed network, and nowhere that this machine trusts.

    Loopback, link-local and metadata addresses are let through by a network that is nothing but those: a wide one that
    happens to hold them does not.
    """

    def judge(address: Address) -> bool:
        inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        plain: Address = inner or address
        holding = [each for each in allowed if plain.version == each.version and plain in each]
        if plain.is_multicast or plain.is_unspecified:
            return False
        if plain.is_loopback or plain.is_link_local or plain in METADATA:
            return any(each.is_loopback or each.is_link_local or each.num_addresses == 1 for each in holding)
        return bool(holding)

    return judge


def lacks(offline: int, paper: int) -> str | None:
    """What a printer lacks by its answers to `DLE EOT 2` and `DLE EOT 4`; None: nothing."""
    if paper & 0x60 or offline & 0x20:
        return NO_PAPER
    if offline & 0x04:
        return COVER_OPEN
    return OUT_OF_ORDER if offline & 0x40 else None
