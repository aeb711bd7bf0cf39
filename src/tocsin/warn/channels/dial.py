"""Guarded TCP: a connection to an address that the guard has checked, in bounded time; what goes plain goes to few.

For protocols that are no HTTP: SMTP, MQTT, NATS, Cursor-on-Target, plain TCP. TLS is put on top by whoever dials. It
reads no proxy from the environment and opens no local socket.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

from tocsin.errors import DeliveryError
from tocsin.warn.channels.guard import Network, checked_addresses


def dial(host: str, port: int, *, allow: Sequence[Network], timeout_s: float, plain: bool) -> socket.socket:
    """Return a connection to a host, at the very address that was checked.

    Parameters
    ----------
    host : str
    port : int
    allow : sequence of network
        Addresses that may be reached although they are not public.
    timeout_s : float
        For the name, for each address, and for what is done on the connection afterwards.
    plain : bool
        True if no TLS follows: then only addresses of the allow list are reached.

    Raises
    ------
    DeliveryError
        If the guard refuses, or no address answers.
    """
    addresses = checked_addresses(host, port, allow=allow, timeout_s=timeout_s, plain=plain)
    trouble: OSError = OSError(f"no address of {host} answers")
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), timeout_s)
        except OSError as error:
            trouble = error
    raise DeliveryError(f"{host} not reached: {trouble.strerror or trouble}", retryable=True)
