"""Where a record is read from: a folder, or a web server that serves one.

Reads only, and no more than any well-formed file can have; follows no link out of a folder and no redirect.
"""

from __future__ import annotations

import http.client
import os
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tocsin.errors import RecordError, VerificationError
from tocsin.record.c2sp.tiles import MAX_BUNDLE_BYTES

TIMEOUT_S = 30.0
"""Seconds without an answer after which a web server counts as unavailable."""


_PLAIN_READ = sum(getattr(os, flag, 0) for flag in ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
"""Follow no link and wait for no pipe."""


class Source(Protocol):
    """Gives a record's files by their path."""

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None if there is no such file."""

    def names(self) -> Iterator[str] | None:
        """Yield the path of every file, in order; None where files cannot be listed."""


class FolderSource:
    """A record in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None if there is no such file.

        Raises
        ------
        VerificationError
            For what is no plain file, or is larger than any file of a record.
        RecordError
            If the disk does not give it.
        """
        try:
            fd = os.open(self.folder / path, _PLAIN_READ)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise VerificationError(f"{path} is no plain file that can be read ({error.strerror})") from None
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BUNDLE_BYTES:
                raise VerificationError(f"{path} is no plain file of at most {MAX_BUNDLE_BYTES:,} bytes")
            chunks = []
            while chunk := os.read(fd, MAX_BUNDLE_BYTES):
                chunks.append(chunk)
            return b"".join(chunks)
        except OSError as error:
            raise RecordError(f"{self.folder / path}: could not be read ({error.strerror})") from error
        finally:
            os.close(fd)

    def names(self) -> Iterator[str]:
        """Yield the path of every file, link or other thing that is no folder."""
        for at, folders, files in os.walk(self.folder):
            folders.sort()
            base = Path(at).relative_to(self.folder)
            links = [name for name in folders if (Path(at) / name).is_symlink()]
            for name in sorted(files + links):
                yield (base / name).as_posix()


class UrlSource:
    """A record on a web server, by C2SP tlog-tiles.

    Parameters
    ----------
    prefix : str
        `https://...` or `http://...`, without a final slash.
    """

    def __init__(self, prefix: str) -> None:
        if not prefix.startswith(("https://", "http://")):
            raise RecordError(f"found {prefix!r}, expected an http or https URL")
        self.prefix = prefix.rstrip("/")
        self._opener = refusing_redirects()

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None if the server says there is none.

        Raises
        ------
        RecordError
            If the server does not answer, redirects, or sends more than any file of a record has.
        """
        url = f"{self.prefix}/{path}"
        try:
            with self._opener.open(url, timeout=TIMEOUT_S) as answer:
                data: bytes = answer.read(MAX_BUNDLE_BYTES + 1)
                is_cut = bool(answer.length) and len(data) <= MAX_BUNDLE_BYTES
        except urllib.error.HTTPError as error:
            if error.code in {404, 410}:
                return None
            raise RecordError(f"{url}: answered {error.code}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise RecordError(f"{url}: no answer ({error})") from error
        if is_cut:
            raise RecordError(f"{url}: the answer was cut short after {len(data):,} bytes")
        if len(data) > MAX_BUNDLE_BYTES:
            raise RecordError(f"{url}: more than {MAX_BUNDLE_BYTES:,} bytes")
        return data

    def names(self) -> None:
        """Return None: a web server lists nothing, so files nobody asks for stay unseen."""


def open_source(place: str) -> Source:
    """Return the source of a record in a folder (its own, or the one that holds it) or under a URL.

    Raises
    ------
    RecordError
        If there is no such folder.
    """
    if place.startswith(("http://", "https://")):
        return UrlSource(place)
    folder = Path(place)
    if not folder.is_dir():
        raise RecordError(f"{place}: no such folder")
    return FolderSource(find_record(folder))


def find_record(folder: Path) -> Path:
    """Return the record in a folder: itself, or its `record/`."""
    inner = folder / "record"
    return inner if inner.is_dir() and not (folder / "checkpoint").exists() else folder


def refusing_redirects() -> urllib.request.OpenerDirector:
    """Return an opener that follows no redirect: where a record or witness is, the parties agreed on."""
    return urllib.request.build_opener(_NoRedirect)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing; the redirect then surfaces as the error it is."""
