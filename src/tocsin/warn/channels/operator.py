"""Operator: a message as a sheet to read out by radio or telephone, put where the operator's desk opens it.

Writes a page and the same as JSON into a folder, each whole or not at all, and prints nothing. Putting it there is
*handed over*; what was said and answered comes back by the page's form. See `formats.script` for the words.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tocsin.canon import canonical_line
from tocsin.errors import DeliveryError
from tocsin.warn.channels.file import put_whole
from tocsin.warn.channels.formats.script import page, sheet
from tocsin.warn.channels.setting import AnswerDesk, ChannelSetting, Name, Room
from tocsin.warn.channels.transport import failed
from tocsin.warn.states import MessageState
from tocsin.warn.telling import Message, Outcome


class Operator:
    """Put a sheet for each message into a folder, named by its id.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    station : str
        Our own name on the air.
    signal : str
        Said three times before everything; empty on a telephone.
    desk : AnswerDesk
    """

    kind = "operator"
    timeout_s = 0.0

    def __init__(self, folder: Path, *, station: str, signal: str, desk: AnswerDesk) -> None:
        self.folder = folder
        self._station = station
        self._signal = signal
        self._desk = desk

    def send(self, message: Message, now_us: int) -> Outcome:
        """Write the page and the JSON; see `Transport.send`."""
        action = self._desk.page(message)
        words = {"station": self._station, "signal": self._signal}
        html = page(message, **words, action=action)
        json = sheet(message, **words, action=action)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            put_whole(self.folder / f"{message.message_id}.json", canonical_line(json))
            put_whole(self.folder / f"{message.message_id}.html", html.encode())
        except OSError as error:
            reason = f"cannot write the sheet: {error.strerror or error}"
            return failed(DeliveryError(reason, retryable=True), self.kind)
        return Outcome(state=MessageState.HANDED_OVER, transport=self.kind, transport_id=f"{message.message_id}.html")


class OperatorSetting(ChannelSetting, frozen=True, kw_only=True):
    """Write a sheet for a radio or telephone operator into a folder; a relative path is inside the output folder."""

    transport: Literal["operator"]
    path: Name
    station: Name
    signal: str = ""

    def build(self, room: Room) -> Operator:
        """Return the transport."""
        return Operator(room.out / self.path, station=self.station, signal=self.signal, desk=room.desk())
