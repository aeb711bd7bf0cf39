"""A publication on its way: new files are written beside the record, read back, and moved in once they are signed for.

Tiles first, then the checkpoint that covers them, each step durable before the next. Whatever a crash leaves here is
thrown away: the journal has it all, and the next publication makes the same files again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tocsin.record.c2sp.tiles import ENTRIES, TILE_HEIGHT, TILE_WIDTH, tile_path
from tocsin.record.files import make_folder, read_back, sync_folder, sync_open, write_all, write_new_files
from tocsin.record.verifier.verify import CHECKPOINT


class Staging:
    """The folder beside a record in which its next publication is made.

    Parameters
    ----------
    folder : Path
        On the same disk as the record.
    record : Path
    """

    def __init__(self, folder: Path, record: Path) -> None:
        self._folder = folder
        self._record = record
        self.clear()

    def clear(self) -> None:
        """Throw away what is here."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def write(self, files: dict[str, bytes]) -> None:
        """Write files by their path in the record, and fsync each."""
        self.clear()
        self._folder.mkdir()
        write_new_files({self._folder / _flat(path): data for path, data in files.items()})

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes as the disk has them: the new one, else the record's, else None."""
        for place in (self._folder / _flat(path), self._record / path):
            try:
                return read_back(place)
            except FileNotFoundError:
                continue
        return None

    def write_checkpoint(self, checkpoint: bytes) -> None:
        """Write the signed checkpoint beside the files it covers; `move` makes it durable before it counts."""
        fd = os.open(self._folder / CHECKPOINT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            write_all(fd, checkpoint)
        finally:
            os.close(fd)

    def move(self) -> None:
        """Move every new file into the record, and then the checkpoint over them."""
        folders = set()
        for name in sorted(os.listdir(self._folder)):
            if name == CHECKPOINT:
                continue
            target = self._record / name.replace(",", "/")
            make_folder(target.parent)
            os.replace(self._folder / name, target)
            folders.add(target.parent)
        fd = os.open(self._folder / CHECKPOINT, os.O_RDWR)
        try:
            sync_open(fd, folders=sorted(folders))
        finally:
            os.close(fd)
        os.replace(self._folder / CHECKPOINT, self._record / CHECKPOINT)
        sync_folder(self._record)

    def drop_partials(self, old_size: int, new_size: int) -> None:
        """Remove the partial files of tiles that are full now (C2SP tlog-tiles, "Partial Tiles")."""
        for partial in _partials_filled(old_size, new_size):
            shutil.rmtree(self._record / partial, ignore_errors=True)


def _partials_filled(old_size: int, new_size: int) -> Iterator[str]:
    level = 0
    while width := old_size >> (TILE_HEIGHT * level):
        number, inside = divmod(width, TILE_WIDTH)
        if inside and new_size >> (TILE_HEIGHT * (level + 1)) > number:
            yield tile_path(level, number) + ".p"
            if level == 0:
                yield tile_path(ENTRIES, number) + ".p"
        level += 1


def _flat(path: str) -> str:
    return path.replace("/", ",")
