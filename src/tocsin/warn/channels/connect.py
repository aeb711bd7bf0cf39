"""Guarded connections for HTTP: one deadline for the whole exchange, one check of the address really connected to.

A network backend for `httpcore2`, the transport layer of httpx2 (its public seam for exactly this). Timeouts there are
per read; a receiver that drips one byte a second would hold an attempt for hours, so every read and write here gets
only what is left of the whole. It follows no redirect and reads no proxy from the environment.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore2

from tocsin.clock import US_PER_S, monotonic_us
from tocsin.errors import DeliveryError
from tocsin.warn.channels.guard import Network, checked_addresses


class Deadline:
    """How much of an exchange's time is left.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float) -> None:
        self._end_us = monotonic_us() + round(seconds * US_PER_S)

    def left_s(self, *, at_most_s: float | None = None) -> float:
        """Return the seconds left, above zero.

        Raises
        ------
        httpcore2.ReadTimeout
            If none are left.
        """
        left = (self._end_us - monotonic_us()) / US_PER_S
        if left <= 0.0:
            raise httpcore2.ReadTimeout("the time for the whole exchange is over")
        return left if at_most_s is None else min(left, at_most_s)


class GuardedBackend(httpcore2.NetworkBackend):
    """Connect only to addresses that the guard lets through.

    Parameters
    ----------
    allow : sequence of network
        Addresses that may be reached although they are not public.
    deadline : Deadline
    plain : bool
        True for `http:`: then only addresses of the `allow` list are reached, since nothing hides what is sent.
    """

    def __init__(self, *, allow: Sequence[Network], deadline: Deadline, plain: bool) -> None:
        self._inner = httpcore2.SyncBackend()
        self._allow = allow
        self._deadline = deadline
        self._plain = plain

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, check every address, and connect to the first that answers, by its number.

        Raises
        ------
        DeliveryError
            If the guard refuses.
        httpcore2.ConnectError, httpcore2.ConnectTimeout
            If no address answers.
        """
        left_s = self._deadline.left_s(at_most_s=timeout)
        addresses = checked_addresses(host, port, allow=self._allow, timeout_s=left_s, plain=self._plain)
        trouble: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                left = self._deadline.left_s(at_most_s=timeout)
                stream = self._inner.connect_tcp(str(address), port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
                continue
            return _TimedStream(stream, self._deadline)
        raise trouble

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None
    ) -> httpcore2.NetworkStream:
        """Refuse: a local socket is nobody's public address."""
        raise DeliveryError("a local socket is not reached from here", retryable=False)


class _TimedStream(httpcore2.NetworkStream):
    """A stream whose every operation gets what is left of the whole."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left_s(at_most_s=timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left_s(at_most_s=timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left_s(at_most_s=timeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
