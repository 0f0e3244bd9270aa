"""Where printers may be, and what they say of themselves."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel.problems import InvalidInput
from samlad.kernel.settings import Settings
from samlad.printers import rules

DEFAULT = rules.allows(rules.networks(Settings(home="/").printer_networks))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.9", "172.31.0.1", "fd12::1", "::ffff:192.168.0.9"]
)
def test_the_store_s_own_network_is_reached(address: str) -> None:
    assert DEFAULT(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1", "fd00:ec2::254"),
        *("0.0.0.0", "::", "224.0.0.1", "ff02::1", "8.8.8.8", "2001:4860::8888", "100.100.100.200"),
    ],
)
def test_this_machine_metadata_and_the_internet_are_not(address: str) -> None:
    assert not DEFAULT(ipaddress.ip_address(address))


def test_only_a_network_that_says_so_opens_this_machine() -> None:
    wide = rules.allows(rules.networks("0.0.0.0/0, ::/0"))
    assert wide(ipaddress.ip_address("8.8.8.8"))
    assert not wide(ipaddress.ip_address("127.0.0.1"))
    assert not wide(ipaddress.ip_address("169.254.169.254"))
    assert not wide(ipaddress.ip_address("fd00:ec2::254"))
    named = rules.allows(rules.networks("127.0.0.0/8,169.254.169.254"))
    assert named(ipaddress.ip_address("127.0.0.1"))
    assert named(ipaddress.ip_address("169.254.169.254"))
    assert not named(ipaddress.ip_address("10.0.0.1"))


@given(st.ip_addresses())
def test_nothing_is_reached_that_no_network_holds(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert not rules.allows([])(address)
    if DEFAULT(address):
        assert address.is_private or getattr(address, "ipv4_mapped", None)


def test_settings_that_cannot_be_are_named() -> None:
    for call, text in ((rules.networks, "10.0.0.0/8, printer"), (rules.ports, "9100-x")):
        with pytest.raises(InvalidInput, match="printer_"):
            call(text)
    assert [9105 in each for each in rules.ports("9100-9109, 515")] == [True, False]


@given(st.integers(0, 255), st.integers(0, 255))
def test_a_printer_that_lacks_nothing_prints(offline: int, paper: int) -> None:
    """Bits by Epson's reference: `DLE EOT 2` 2 cover, 5 paper end, 6 error; `DLE EOT 4` 5 and 6 paper end."""
    found = rules.lacks(offline, paper)
    assert (found is None) == (offline & 0b0110_0100 == 0 and paper & 0b0110_0000 == 0)
    if paper & 0b0110_0000:
        assert found == rules.NO_PAPER
