"""The guard on outgoing connections: which addresses a channel may reach, checked on the address really connected to.

Against server-side request forgery and DNS rebinding (OWASP ASVS 5, 1.3.6), by a table of our own after the IANA
special-purpose address registries (RFC 6890): Python's `ipaddress` calls NAT64 and 6to4 forms of loopback, and some
multicast, *global*. Names are resolved once, every answer is checked, and the connection goes to the very address that
was checked. An address that is not public needs an entry in the deployment's `allow` list.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

from tocsin.errors import DeliveryError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REFUSED_V4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their credentials
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
"""IPv4 blocks that are nobody's public address."""

PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
"""The only IPv6 space given to public unicast use; everything outside it is refused."""

REFUSED_V6 = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, with Teredo, ORCHID and benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
"""IPv6 blocks inside 2000::/3 that are nobody's public address. NAT64 (64:ff9b::/96) and mapped IPv4 lie outside it."""


def is_public(address: Address) -> bool:
    """Return True if an address is somebody's public unicast address, by the table.

    Examples
    --------
    >>> [is_public(ipaddress.ip_address(a)) for a in ("93.184.215.14", "2606:4700::1111", "64:ff9b::7f00:1")]
    [True, True, False]
    >>> [is_public(ipaddress.ip_address(a)) for a in ("2002:7f00:1::", "224.0.0.1", "::ffff:169.254.169.254")]
    [False, False, False]
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in REFUSED_V4)
    return address in PUBLIC_V6 and not any(address in block for block in REFUSED_V6)


def is_allowed(address: Address, allow: Iterable[Network]) -> bool:
    """Return True if an address is public, or stands in the deployment's list."""
    return is_public(address) or is_listed(address, allow)


def is_listed(address: Address, allow: Iterable[Network]) -> bool:
    """Return True if an address stands in the deployment's list."""
    return any(address in block for block in allow if block.version == address.version)


def resolve(host: str, port: int, *, timeout_s: float) -> Sequence[Address]:
    """Return the addresses of a host, in the resolver's order, in bounded time.

    Parameters
    ----------
    host : str
        A name or an address.
    port : int
    timeout_s : float
        The system resolver cannot be stopped; past this time its answer is not waited for.

    Raises
    ------
    DeliveryError
        If there is no answer in time, or none at all.
    """
    if "%" not in host:
        with suppress(ValueError):
            return (ipaddress.ip_address(host),)  # it is one already: no thread need wait for a resolver
    answer: list[Address] = []
    trouble: list[str] = []

    def ask() -> None:
        """Wait for the system's resolver."""
        try:
            for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                answer.append(ipaddress.ip_address(str(place[0]).partition("%")[0]))
        except OSError as error:
            trouble.append(error.strerror or str(error))
        except ValueError as error:  # a name that IDNA cannot encode, or a resolver that answers nonsense
            trouble.append(str(error))

    asking = threading.Thread(target=ask, name=f"resolve {host}", daemon=True)
    asking.start()
    asking.join(timeout_s)
    if asking.is_alive():
        raise DeliveryError(f"no address for {host} within {timeout_s:.0f} s", retryable=True)
    if trouble or not answer:
        raise DeliveryError(f"no address for {host}: {trouble[0] if trouble else 'no answer'}", retryable=True)
    return tuple(dict.fromkeys(answer))


def checked_addresses(
    host: str, port: int, *, allow: Iterable[Network], timeout_s: float, plain: bool = False
) -> Sequence[Address]:
    """Return the addresses of a host if every one of them may be reached.

    Parameters
    ----------
    host : str
    port : int
    allow : iterable of network
        Addresses that may be reached although they are not public.
    timeout_s : float
    plain : bool
        True if nothing hides what is sent: then only addresses of the allow list may be reached.

    Raises
    ------
    DeliveryError
        Not retryable if any address may not be reached: a name that points at one bad address among good ones is
        refused whole. Retryable if the name has no address now.
    """
    allow = tuple(allow)
    addresses = resolve(host, port, timeout_s=timeout_s)
    bad = [address for address in addresses if not is_allowed(address, allow)]
    if bad:
        reason = f"{host} is at {bad[0]}, which is not a public address and not in this channel's allow list"
        raise DeliveryError(reason, retryable=False)
    if plain and not all(is_listed(address, allow) for address in addresses):
        raise DeliveryError(f"{host} is reached without TLS and is not in this channel's allow list", retryable=False)
    return addresses
