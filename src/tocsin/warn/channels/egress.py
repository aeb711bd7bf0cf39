"""The guard on libraries that open their own connections: every address is checked as it is connected to.

Python tells an audit hook of every connection before it is made (PEP 578), and what the hook raises stops it. Inside
`guarded`, in the same thread, only addresses that the guard lets through are reached, by number, redirects and retries
included. It cannot see what a thread started inside opens, nor what a proxy opens for us; see docs/guide/channels.md.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tocsin.errors import DeliveryError
from tocsin.warn.channels.guard import Network, is_allowed, is_listed

_HOOKED = ("socket.connect", "socket.sendto", "socket.sendmsg")
_present = threading.local()
_installing = threading.Lock()
_installed: list[bool] = []


class Egress:
    """What one attempt may reach, and what it opened.

    Parameters
    ----------
    allow : sequence of network
        Addresses that may be reached although they are not public.
    plain : bool
        True if nothing hides what is sent: then only addresses of the allow list are reached.
    """

    def __init__(self, *, allow: Sequence[Network], plain: bool) -> None:
        self._allow = tuple(allow)
        self._plain = plain
        self._opened: list[socket.socket] = []
        self.refusal: DeliveryError | None = None

    def check(self, opened: Any, place: Any) -> None:
        """Keep the socket, or refuse.

        Raises
        ------
        PermissionError
            If the address may not be reached, or one before it might not: a name that points at one bad address among
            good ones is refused whole. Libraries know an OSError and close what they opened.
        """
        self._opened.append(opened)
        if self.refusal is not None:
            raise PermissionError(self.refusal.reason)
        if place is None:
            return
        try:
            address = ipaddress.ip_address(str(place[0]).partition("%")[0]) if isinstance(place, tuple) else None
        except ValueError:
            address = None
        if address is None:
            reason = "a connection to no numbered address is not made from here"
        elif not is_allowed(address, self._allow):
            reason = f"{address} is not a public address and not in this channel's allow list"
        elif self._plain and not is_listed(address, self._allow):
            reason = f"{address} is reached without TLS and is not in this channel's allow list"
        else:
            return
        self.refusal = DeliveryError(reason, retryable=False)
        raise PermissionError(reason)

    def cut(self) -> None:
        """Cut every connection that was opened: the time is over."""
        for opened in self._opened:
            with suppress(OSError, ValueError):
                opened.shutdown(socket.SHUT_RDWR)


@contextmanager
def guarded(egress: Egress) -> Iterator[None]:
    """Check every connection that this thread makes inside the block."""
    with _installing:
        if not _installed:
            sys.addaudithook(_hook)
            _installed.append(True)
    _present.egress = egress
    try:
        yield
    finally:
        _present.egress = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in _HOOKED:
        egress = getattr(_present, "egress", None)
        if egress is not None:
            egress.check(args[0], args[1])
