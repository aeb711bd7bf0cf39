"""Keys: who calls, by a secret that only its holder has; at rest there is only its hash.

A key has 256 random bits and is kept as its SHA-256 (ASVS 5 §6.5, §11.4: enough for secrets of that size), looked up by
a public prefix and compared in constant time. Each is for one thing: the keeper, one party, or the pushes of one feed.
The file is read again whenever it changed, so that a revoked key ends with the next request (FAULTS 88, 91). Logins of
persons are not kept here.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import stat
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import Struct

from tocsin.errors import Place, SettingError
from tocsin.units import format_instant, format_instant_if, parse_instant_us

KEY_BYTES = 32
PREFIX = "tocsin"
"""What every key begins with, so that scanners for leaked secrets find it."""

MAX_KEY_CHARS = 120
MAX_FILE_BYTES = 4 * 2**20
"""Bytes of a file of keys (P11)."""

_MODE = stat.S_IRUSR | stat.S_IWUSR
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NOBODYS = b"\0" * 32


class Scope(StrEnum):
    """What a key is for."""

    KEEPER = "keeper"
    """Whoever keeps the station: everything."""
    PARTY = "party"
    """One party: what the agreement lets it see, and answers in its name."""
    FEED = "feed"
    """Pushes into one feed, and nothing else."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls.

    Attributes
    ----------
    key_id : str
        Public.
    scope : Scope
    name : str
        The party's or feed's id; empty for the keeper.
    """

    key_id: str
    scope: Scope
    name: str

    @property
    def party(self) -> str | None:
        """The party that calls, or None."""
        return self.name if self.scope is Scope.PARTY else None


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    id: str
    sha256: str
    scope: Scope
    name: str = ""
    created: str
    expires: str | None = None
    revoked: str | None = None


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    secret: str
    keys: list[_Row]


class Keyring:
    """The keys of one station.

    Parameters
    ----------
    path : Path
        Made if it is not there; readable by its owner alone, or refused.

    Raises
    ------
    SettingError
        For a file that others may read, or that is none of ours.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            _write(path, _File(secret=secrets.token_hex(16), keys=[]), is_new=True)
        self._stamp: tuple[int, int, int] | None = None
        self._file = _File(secret="", keys=[])
        self._rows: dict[str, _Row] = {}
        self._read()

    def __len__(self) -> int:
        return len(self._rows)

    def create(self, scope: Scope, name: str = "", *, now_us: int, expires_us: int | None = None) -> str:
        """Make a key and return it: the only time that anybody sees it.

        Parameters
        ----------
        scope : Scope
        name : str
            The party or feed; empty for the keeper.
        now_us : int
        expires_us : int, optional

        Raises
        ------
        SettingError
            For a keeper with a name, or a party or feed without.
        """
        if bool(name) == (scope is Scope.KEEPER):
            raise SettingError(f"{scope} {name!r}", expected="a name for a party or feed", place=Place(str(self._path)))
        key_id, secret = secrets.token_hex(4), secrets.token_bytes(KEY_BYTES)
        text = f"{PREFIX}_{key_id}_{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}"
        row = _Row(
            id=key_id,
            sha256=sha256(text.encode()).hexdigest(),
            scope=scope,
            name=name,
            created=format_instant(now_us),
            expires=format_instant_if(expires_us),
        )
        self._read()
        self._save([*self._file.keys, row])
        return text

    def revoke(self, key_id: str, *, now_us: int) -> bool:
        """End a key; return False if there is none of this id that is not ended.

        Parameters
        ----------
        key_id : str
        now_us : int
        """
        self._read()
        row = self._rows.get(key_id)
        if row is None or row.revoked is not None:
            return False
        ended = msgspec.structs.replace(row, revoked=format_instant(now_us))
        self._save([ended if r.id == key_id else r for r in self._file.keys])
        return True

    def listed(self) -> list[dict[str, str | None]]:
        """Return what may be told of every key: its id, what it is for, and when it was made and ends."""
        self._read()
        return [
            {
                "id": row.id,
                "scope": str(row.scope),
                "name": row.name,
                "created": row.created,
                "expires": row.expires,
                "revoked": row.revoked,
            }
            for row in self._file.keys
        ]

    def check(self, text: str, *, now_us: int) -> Caller | None:
        """Return who holds this key, or None; the same work is done whether or not there is such a key.

        Parameters
        ----------
        text : str
        now_us : int
        """
        self._read()
        parts = text.split("_", 2) if len(text) <= MAX_KEY_CHARS else []
        row = self._rows.get(parts[1]) if len(parts) == 3 and parts[0] == PREFIX else None
        kept = _NOBODYS if row is None else bytes.fromhex(row.sha256)
        is_right = hmac.compare_digest(sha256(text.encode("utf-8", "surrogatepass")).digest(), kept)
        if row is None or not is_right or row.revoked is not None:
            return None
        if row.expires is not None and now_us >= parse_instant_us(row.expires):
            return None
        return Caller(key_id=row.id, scope=row.scope, name=row.name)

    def seal_cursor(self, caller: Caller, number: int) -> str:
        """Return a place in a list so that the caller cannot tell how much lies before it that it may not see (P8).

        Parameters
        ----------
        caller : Caller
        number : int
        """
        block = self._cipher(caller).encryptor().update(bytes(8) + number.to_bytes(8, "big"))
        return base64.urlsafe_b64encode(block).rstrip(b"=").decode()

    def open_cursor(self, caller: Caller, text: str) -> int | None:
        """Return the place that a cursor names, or None if it is not one of this caller's."""
        try:
            block = base64.b64decode(text + "==", altchars=b"-_", validate=True)
        except ValueError:
            return None
        if len(block) != 16:
            return None
        plain = self._cipher(caller).decryptor().update(block)
        return int.from_bytes(plain[8:], "big") if plain[:8] == bytes(8) else None

    def _cipher(self, caller: Caller) -> Cipher[modes.ECB]:
        # One block that holds a number once: nothing repeats within it, and its first half authenticates it.
        key = hmac.new(bytes.fromhex(self._file.secret), caller.key_id.encode(), sha256).digest()[:16]
        return Cipher(algorithms.AES(key), modes.ECB())

    def _save(self, keys: list[_Row]) -> None:
        _write(self._path, _File(secret=self._file.secret, keys=keys), is_new=False)
        self._read()

    def _read(self) -> None:
        found = self._path.stat()
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp == self._stamp:
            return
        place = Place(str(self._path))
        if found.st_mode & _OTHERS:
            raise SettingError(
                f"mode {found.st_mode & 0o777:04o}", expected="0600: only its owner reads it", place=place
            )
        if found.st_size > MAX_FILE_BYTES:
            raise SettingError(f"{found.st_size} bytes", expected=f"at most {MAX_FILE_BYTES}", place=place)
        try:
            self._file = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise SettingError(f"no file of keys ({error})", expected="one that Tocsin wrote", place=place) from error
        self._rows = {row.id: row for row in self._file.keys}
        self._stamp = stamp


def _write(path: Path, file: _File, *, is_new: bool) -> None:
    beside = path if is_new else path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(file)) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    if not is_new:
        beside.replace(path)
