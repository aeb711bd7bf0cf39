"""Change: one value of an agreement set, refused where the format refuses it, every comment and other byte kept.

Nothing else is changed: no version number, no date, no signature. A change of a signed text is a new text, which its
parties have to number and sign (docs/format/version.md).
"""

from __future__ import annotations

from pathlib import Path

from tocsin.agreement.load import parse
from tocsin.agreement.model import Agreement
from tocsin.agreement.source.edit import Edit, edit
from tocsin.errors import AgreementError, AgreementErrors


def set_value(text: bytes, path: str, value: str, *, file: str, folder: Path | None = None) -> Edit:
    """Return an agreement's text with one value set.

    Parameters
    ----------
    text : bytes
        The file, complete or not, with errors elsewhere or not.
    path, value : str
        See `source.edit.edit`.
    file : str
        The name to give in places.
    folder : Path or None
        Where its GeoJSON stands.

    Raises
    ------
    AgreementError
        If the text cannot be edited there.
    AgreementErrors
        For what the format refuses of the new text and did not refuse of the old, a key it does not have included.
    """
    done = edit(text, path, value, file=file)
    before, after = _read(text, file, folder), _read(done.text, file, folder)
    refused_before = {_mark(e) for e in before.errors} if isinstance(before, AgreementErrors) else set()
    if isinstance(after, AgreementErrors):
        new = [error for error in after.errors if _mark(error) not in refused_before]
        if new:
            raise AgreementErrors(new)
        return done
    known = {key.path for key in before.unknown} if isinstance(before, Agreement) else set()
    for key in after.unknown if isinstance(before, Agreement) else ():
        if key.path not in known:
            hint = f"the key {key.nearest}" if key.nearest else "a key of docs/format/agreement.md"
            raise AgreementError(f"key {key.key!r}", expected=hint, place=after.where(key.path))
    return done


def _read(text: bytes, file: str, folder: Path | None) -> Agreement | AgreementErrors:
    try:
        return parse(text, file=file, folder=folder)
    except AgreementErrors as errors:
        return errors


def _mark(error: AgreementError) -> tuple[str, str, str]:
    return error.found, error.expected, error.place.path
