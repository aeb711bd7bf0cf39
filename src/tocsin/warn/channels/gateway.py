"""Gateways through apprise: SMS, Matrix, Slack, Telegram, ntfy, voice calls and some hundred more, by one URL each.

What a gateway takes is *handed over*: it gives no receipt of arrival. The URL holds secrets, so it is named by variable
or file and never shown: not in a log, not in an outcome. Every address is checked as it is connected to (`egress.py`);
redirects are not followed; a text that is too long is split, never cut. Signs that a chat could obey are replaced.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from tocsin.errors import DeliveryError
from tocsin.warn.channels.egress import Egress, guarded
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.setting import ChannelSetting, Room, Secret, networks, seconds
from tocsin.warn.channels.transport import failed
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

TIMEOUT_S = 30.0
"""Seconds for a whole attempt: some gateways take four calls (log in, join, send, log out)."""
LOCAL = frozenset({"dbus", "glib", "gnome", "macosx", "windows", "syslog", "file", "gotify-local", "kde", "qt"})
"""Services of apprise that act on this machine and reach nobody."""
_SIGNS = str.maketrans({
    "<": "‹", ">": "›", "&": "＆", "@": "＠", "*": "∗", "`": "'", "~": "∼", "[": "(", "]": ")", "|": "¦", "\\": "∖",
})  # fmt: skip
"""Signs by which chats mention, link, format or run, and signs that look alike and do nothing."""
_STATUS = re.compile(r"error\s*[=:]\s*(\d{3})\b", re.IGNORECASE)
_PASSING = frozenset({408, 425, 429})
_THREAD = "apprise"
"""First word of the name of the threads in which services run."""


class Gateway:
    """Send each message by the URLs of its recipient.

    Parameters
    ----------
    urls : mapping of str to sequence of str
        By recipient: apprise URLs.
    allow : sequence of network
        Addresses that may be reached although they are not public.
    timeout_s : float

    Raises
    ------
    ValueError
        If a URL is none of apprise, or acts on this machine alone. The URL is not shown.
    """

    kind = "apprise"

    def __init__(
        self, urls: Mapping[str, Sequence[str]], *, allow: Sequence[Network] = (), timeout_s: float = TIMEOUT_S
    ) -> None:
        self.timeout_s = timeout_s
        self._allow = tuple(allow)
        self._routes: dict[str, list[_Route]] = {}
        for recipient, of_one in urls.items():
            for number, url in enumerate(of_one, start=1):
                try:
                    service = _service(url, timeout_s)
                except ValueError as error:
                    raise ValueError(f"{recipient}, address {number}: {error}") from None
                route = _Route(url=url, name=str(service.service_name), is_secure=bool(service.secure))
                self._routes.setdefault(recipient, []).append(route)

    def send(self, message: Message, now_us: int) -> Outcome:
        """Send by every URL of the recipient; see `Transport.send`."""
        routes = self._routes.get(message.recipient, ())
        if not routes:
            return failed(DeliveryError(f"no address of {message.recipient} is set", retryable=False), self.kind)
        each_s = self.timeout_s / len(routes)
        errors: list[DeliveryError] = []
        took: list[str] = []
        for route in routes:
            try:
                self._notify(route, message, each_s)
                took.append(route.name)
            except DeliveryError as error:
                errors.append(DeliveryError(f"{route.name}: {error.reason}", retryable=error.retryable))
        reasons = "; ".join(error.reason for error in errors)
        if not took:
            return failed(DeliveryError(reasons, retryable=any(error.retryable for error in errors)), self.kind)
        reason = "; ".join([f"taken by {', '.join(took)}", *([f"not by: {reasons}"] if reasons else [])])
        return Outcome(state=MessageState.HANDED_OVER, reason=reason, transport=self.kind)

    def _notify(self, route: _Route, message: Message, timeout_s: float) -> None:
        egress = Egress(allow=self._allow, plain=not route.is_secure)
        tried = _Tried()

        def work() -> None:
            """Try once, in a thread that can be left behind."""
            try:
                with guarded(egress):  # made and let go inside, since some services log out as they go
                    service = _service(route.url, timeout_s)
                    tried.taken = bool(service.notify(body=plain(message.body), title=plain(message.subject)))
                    del service
            except Exception as error:  # a hundred services raise a hundred kinds; each is one failed attempt
                tried.trouble = type(error).__name__
            tried.status = _statuses.status

        worker = threading.Thread(target=work, name=f"{_THREAD} {route.name}", daemon=True)
        worker.start()
        worker.join(timeout_s)
        if worker.is_alive():
            egress.cut()
            raise DeliveryError("no answer in time; whether it was received is not known", retryable=True)
        if egress.refusal is not None:
            raise egress.refusal
        if not tried.taken:
            raise _refusal(tried)


class GatewaySetting(ChannelSetting, frozen=True, kw_only=True):
    """Send through gateways; `to` names the apprise URLs of each party, each `{env: NAME}` or `{file: PATH}`."""

    transport: Literal["apprise"]
    to: Annotated[dict[str, tuple[Secret, ...]], Meta(min_length=1)]
    allow: tuple[str, ...] = ()
    timeout: str | None = None

    def build(self, room: Room) -> Gateway:
        """Return the transport."""
        urls = {party: tuple(room.secret(where) for where in named) for party, named in self.to.items()}
        return Gateway(urls, allow=networks(self.allow), timeout_s=seconds(self.timeout, TIMEOUT_S))


def plain(text: str) -> str:
    r"""Return a text in which no sign mentions, links, formats or runs anything in a chat.

    Examples
    --------
    >>> plain("<!channel> @all *bold* `rm`")
    "‹!channel› ＠all ∗bold∗ 'rm'"
    """
    return text.translate(_SIGNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """One URL, and what may be shown of it."""

    url: str = field(repr=False)
    name: str
    is_secure: bool


class _Statuses(threading.local):
    """What the service of this thread logged of an HTTP status, and nothing else: the rest may hold secrets."""

    status: int | None = None


_statuses = _Statuses()


class _Tried(Struct):
    """What came of one service.

    Attributes
    ----------
    taken : bool
    status : int or None
        Of HTTP, where the service logged one.
    trouble : str
        Name of what it raised; empty if nothing.
    """

    taken: bool = False
    status: int | None = None
    trouble: str = ""


def _refusal(tried: _Tried) -> DeliveryError:
    status = tried.status
    if status is None:
        why = f" ({tried.trouble})" if tried.trouble else ""
        reason = f"not taken, or not reached{why}; whether it was received is not known"
        return DeliveryError(reason, retryable=True)
    return DeliveryError(f"status {status}", retryable=status >= 500 or status in _PASSING)


def _service(url: str, timeout_s: float) -> Any:
    """Return the service of a URL, with our time-outs and without redirects."""
    _hush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of libraries that some service imports
        import apprise

        service: Any = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise ValueError("no URL that apprise knows")
    if not url.partition(":")[0].isascii() or url.partition(":")[0].lower() in LOCAL:
        raise ValueError("a service that acts on this machine alone")
    service.redirects = False
    service.overflow_mode = apprise.OverflowMode.SPLIT
    service.socket_connect_timeout = service.socket_read_timeout = timeout_s
    service.verify_certificate = True
    return service


def _hush() -> None:
    """Let nothing out that apprise logs, nor the HTTP libraries under it in its threads: URLs hold secrets."""
    log = logging.getLogger("apprise")
    if _harvest not in log.filters:
        log.addFilter(_harvest)
        for below in ("urllib3.connectionpool", "requests", "httpx", "httpcore"):
            logging.getLogger(below).addFilter(_is_not_ours)


def _harvest(record: logging.LogRecord) -> bool:
    found = _STATUS.search(record.getMessage()) if record.levelno >= logging.WARNING else None
    if found:
        _statuses.status = int(found[1])
    return False


def _is_not_ours(record: logging.LogRecord) -> bool:
    return not (record.threadName or "").startswith(f"{_THREAD} ")
