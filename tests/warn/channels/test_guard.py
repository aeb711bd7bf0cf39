"""The table of addresses: every trick that Python's own check lets pass, and real public addresses."""

from __future__ import annotations

import ipaddress

import pytest

from tocsin.errors import DeliveryError
from tocsin.warn.channels.guard import checked_addresses, is_allowed, is_public, resolve

REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "3fff::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.215.14", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255",
          "2606:4700:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2400:cb00::1"]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_address_that_is_nobodys_public_one_is_refused(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_address_is_let_through(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_allow_list_opens_only_what_it_names() -> None:
    allow = [ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("fd00::/64")]
    assert is_allowed(ipaddress.ip_address("127.0.0.1"), allow)
    assert not is_allowed(ipaddress.ip_address("127.0.0.2"), allow)
    assert is_allowed(ipaddress.ip_address("fd00::7"), allow)
    assert not is_allowed(ipaddress.ip_address("::ffff:127.0.0.1"), allow)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_spellings_of_loopback_are_seen_for_what_they_are(host: str) -> None:
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1, which is not a public address") as refusal:
        checked_addresses(host, 80, allow=(), timeout_s=2.0)
    assert not refusal.value.retryable


def test_name_without_an_address_may_have_one_later() -> None:
    with pytest.raises(DeliveryError, match=r"no address for nobody\.invalid") as refusal:
        resolve("nobody.invalid", 80, timeout_s=5.0)
    assert refusal.value.retryable
