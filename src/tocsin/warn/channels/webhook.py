"""Webhook: a message posted as signed JSON to a party's own receiver.

Implements Standard Webhooks 1.0: `webhook-id` is the message's id and stays the same over retries, `webhook-timestamp`
is the attempt's, and `webhook-signature` is `v1a`, Ed25519 over `id.timestamp.body`, which the receiver can check and
cannot forge. Only 2xx is success, and it is *handed over*, no more. Redirects are not followed; 410 parks the endpoint.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Literal
from urllib.parse import urlsplit

import httpcore2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin.clock import US_PER_S
from tocsin.errors import DeliveryError
from tocsin.units import format_instant, parse_instant_us
from tocsin.warn.channels.connect import Deadline, GuardedBackend
from tocsin.warn.channels.formats.form import Form, JsonForm
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.setting import CapSetting, ChannelSetting, Name, Room, form_of, networks, seconds
from tocsin.warn.channels.transport import failed
from tocsin.warn.message import neutral
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome

TIMEOUT_S = 15.0
"""Seconds for a whole attempt, from the name to the status. Origin: Standard Webhooks asks for 15 to 30."""

RETRY_AFTER_LIMIT_S = 3_600.0
"""Seconds that a receiver's Retry-After may ask for; more is cut, since the ladder's deadline decides anyway."""

_PASSING = frozenset({408, 425, 429})
"""Answers of the 400s that may pass: time-out, too early, too many."""
_GONE = 410


class Webhook:
    """Post each message to one URL.

    Parameters
    ----------
    url : str
        `https:`, or `http:` to an address of the allow list. No user name, no fragment.
    key : Ed25519PrivateKey
    allow : sequence of network
        Addresses that may be reached although they are not public, such as 127.0.0.1/32.
    tls : ssl.SSLContext or None
        The system's trust store if None, read once: that takes 50 ms, for which nothing else would run.
    timeout_s : float
    form : Form or None
        Our own JSON if None.

    Raises
    ------
    ValueError
        If the URL is not such a URL.
    """

    kind = "webhook"

    def __init__(
        self,
        url: str,
        *,
        key: Ed25519PrivateKey,
        allow: Sequence[Network] = (),
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        form: Form | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None or parts.fragment:
            raise ValueError(f"found {url!r}, expected https://host/path without a user name or fragment")
        self.url = url
        self._host = parts.hostname
        self._plain = parts.scheme == "http"
        self._key = key
        self._allow = tuple(allow)
        self._tls = tls
        self._reading = Lock()
        self.timeout_s = timeout_s
        self._form = form or JsonForm()
        self._parked: str | None = None

    def send(self, message: Message, now_us: int) -> Outcome:
        """Post once; see `Transport.send`."""
        if self._parked is not None:
            return failed(DeliveryError(self._parked, retryable=False), self.kind)
        try:
            status, headers = self._post(message, now_us)
        except DeliveryError as error:
            return failed(error, self.kind)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            return failed(DeliveryError(f"{self._host} not reached: {_words(error)}", retryable=True), self.kind)
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.RemoteProtocolError) as error:
            reason = f"{self._host} gave no answer ({_words(error)}); whether it was received is not known"
            return failed(DeliveryError(reason, retryable=True), self.kind)
        return self._judge(status, headers, now_us)

    def _post(self, message: Message, now_us: int) -> tuple[int, dict[str, str]]:
        payload = self._form.render(message)
        body = payload.body
        headers = [
            ("content-type", payload.content_type),
            ("user-agent", "tocsin"),
            ("connection", "close"),
            *sign(message.message_id, now_us, body, self._key).items(),
        ]
        backend = GuardedBackend(allow=self._allow, deadline=Deadline(self.timeout_s), plain=self._plain)
        with (
            httpcore2.ConnectionPool(ssl_context=self._trust(), network_backend=backend, http2=False) as pool,
            pool.stream("POST", self.url, headers=headers, content=body) as response,
        ):
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return response.status, found

    def _trust(self) -> ssl.SSLContext | None:
        with self._reading:
            if self._tls is None and not self._plain:
                self._tls = httpcore2.default_ssl_context()
            return self._tls

    def _judge(self, status: int, headers: dict[str, str], now_us: int) -> Outcome:
        if 200 <= status < 300:
            return Outcome(state=MessageState.HANDED_OVER, reason=f"status {status}", transport=self.kind)
        if status == _GONE:
            self._parked = f"{self._host} said 410 Gone at {format_instant(now_us)}: parked, nothing is sent there"
            return failed(DeliveryError(self._parked, retryable=False), self.kind)
        if 300 <= status < 400:
            place = neutral(headers.get("location", "nowhere"))
            return failed(DeliveryError(f"status {status} to {place}: not followed", retryable=False), self.kind)
        passing = status >= 500 or status in _PASSING
        wait_s = retry_after_s(headers, now_us) if passing else None
        return failed(DeliveryError(f"status {status}", retryable=passing), self.kind, retry_after_s=wait_s)


class WebhookSetting(ChannelSetting, frozen=True, kw_only=True):
    """Post to a URL; `allow` names addresses that are not public, `key` and `ca` are PEM files."""

    transport: Literal["webhook"]
    url: Name
    allow: tuple[str, ...] = ()
    key: str | None = None
    ca: str | None = None
    timeout: str | None = None
    cap: CapSetting | None = None

    def build(self, room: Room) -> Webhook:
        """Return the transport; its signing key is made if none is named."""
        return Webhook(
            self.url,
            key=room.signer(self.key),
            allow=networks(self.allow),
            tls=room.own_tls(self.ca),
            timeout_s=seconds(self.timeout, TIMEOUT_S),
            form=form_of(self.cap),
        )


def sign(message_id: str, now_us: int, body: bytes, key: Ed25519PrivateKey) -> dict[str, str]:
    """Return the three headers of Standard Webhooks.

    Parameters
    ----------
    message_id : str
        Without a full stop.
    now_us : int
    body : bytes
    key : Ed25519PrivateKey

    References
    ----------
    Standard Webhooks 1.0, "Signature scheme", asymmetric.
    """
    seconds = str(now_us // US_PER_S)
    signature = key.sign(b".".join([message_id.encode(), seconds.encode(), body]))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": "v1a," + base64.b64encode(signature).decode(),
    }


def retry_after_s(headers: dict[str, str], now_us: int) -> float | None:
    """Return the seconds that a receiver asks to wait (RFC 9110 §10.2.3), or None if it does not say, or not so.

    A date is read against the receiver's own `Date`, since its clock may differ from ours.

    Examples
    --------
    >>> retry_after_s({"retry-after": "120"}, 0), retry_after_s({"retry-after": "soon"}, 0)
    (120.0, None)
    >>> retry_after_s({"retry-after": "Tue, 29 Oct 2030 16:57:30 GMT", "date": "Tue, 29 Oct 2030 16:56:30 GMT"}, 0)
    60.0
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), RETRY_AFTER_LIMIT_S)
    until_us = _http_date_us(text)
    if until_us is None:
        return None
    from_us = _http_date_us(headers.get("date", ""))
    wait_s = (until_us - (now_us if from_us is None else from_us)) / US_PER_S
    return min(max(wait_s, 0.0), RETRY_AFTER_LIMIT_S)


def _http_date_us(text: str) -> int | None:
    try:
        return parse_instant_us(parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None


def _words(error: Exception) -> str:
    return neutral(str(error)) or type(error).__name__
