"""What publishing to a message broker has in common, whatever the broker speaks: where it is, who we are, replies.

`mqtt.py` and `nats.py` say how each publishes and hears. A reply names its message by the token that went out with it,
in its body or, where a machine only sends back what it was given, beside it.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from tocsin.canon import canonical_bytes, parse_json
from tocsin.clock import now_us as wall_us
from tocsin.errors import DeliveryError
from tocsin.warn.answers.reply import read_reply
from tocsin.warn.channels.formats.form import Form, JsonForm
from tocsin.warn.channels.guard import Network
from tocsin.warn.channels.setting import (
    AnswerDesk,
    CapSetting,
    ChannelSetting,
    Name,
    Port,
    Room,
    Secret,
    form_of,
    networks,
    seconds,
)
from tocsin.warn.inputs import Answer, Rejected
from tocsin.warn.message import neutral

TIMEOUT_S = 15.0
"""Seconds for a whole attempt, from the name to the acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker, and how this station speaks to it.

    Attributes
    ----------
    host : str
    port : int
    desk : AnswerDesk
    replies : str
        The topic or subject on which replies are heard.
    user, password : str or None
    tls : ssl.SSLContext or None
        None: plain TCP, to addresses of the allow list alone.
    allow : sequence of network
    form : Form
    timeout_s : float
    """

    host: str
    port: int
    desk: AnswerDesk
    replies: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    allow: Sequence[Network] = ()
    form: Form = field(default_factory=JsonForm)
    timeout_s: float = TIMEOUT_S

    def heard(self, raw: bytes, *, token: str | None, source: str) -> Answer | Rejected:
        """Return what a reply says; the token that came beside it counts where its body names none."""
        if token is not None:
            with suppress(ValueError):
                body = parse_json(raw)
                if isinstance(body, dict) and "token" not in body:
                    raw = canonical_bytes({**body, "token": token})
        return read_reply(raw, key=self.desk.key, now_us=wall_us(), channel=None, source=source)

    def broken_off(self, said: object) -> DeliveryError:
        """Return the error of an attempt that ended in the middle."""
        words = neutral(str(said)) or type(said).__name__
        return DeliveryError(f"{self.host}: {words}; whether it was received is not known", retryable=True)

    def silent(self, to: str) -> DeliveryError:
        """Return the error of an attempt whose answer did not come in time."""
        reason = f"{self.host} gave no answer {to}; whether it was received is not known"
        return DeliveryError(reason, retryable=True)


class BrokerSetting(ChannelSetting, frozen=True, kw_only=True):
    """Publish to a broker; `user` and `password` log in, `replies` is where answers come back."""

    host: Name
    port: Port
    replies: Name
    user: str | None = None
    password: Secret | None = None
    security: Literal["tls", "none"] = "tls"
    allow: tuple[str, ...] = ()
    ca: str | None = None
    certificate: str | None = None
    timeout: str | None = None
    cap: CapSetting | None = None

    def broker(self, room: Room) -> Broker:
        """Return the broker; raises as `build` does."""
        return Broker(
            host=self.host,
            port=self.port,
            desk=room.desk(),
            replies=self.replies,
            user=self.user,
            password=room.secret(self.password) if self.password else None,
            tls=room.tls(self.ca, self.certificate) if self.security == "tls" else None,
            allow=networks(self.allow),
            form=form_of(self.cap),
            timeout_s=seconds(self.timeout, TIMEOUT_S),
        )
