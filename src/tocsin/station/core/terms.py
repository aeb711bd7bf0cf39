"""Terms: one agreement version made ready for a station: its watch, its ladder, and who may see what.

A version is kept as the files it was written in, so that a restart compiles the very same. Compiling decides nothing
about when a version comes into force; `step.py` does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from msgspec import Struct

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.custody import Custody, compile_custody
from tocsin.agreement.load import load, parse
from tocsin.agreement.model import Agreement
from tocsin.agreement.notices.rules import Rules, compile_rules
from tocsin.agreement.playbook import Playbook
from tocsin.agreement.terms.state import given
from tocsin.agreement.visible import Policy, compile_policy
from tocsin.errors import Place, RefusedError, SettingError
from tocsin.watch.engine import Engine
from tocsin.watch.routes import NO_ROUTES, load_routes


class AgreementText(Struct, frozen=True, kw_only=True):
    """An agreement as it was written, and what is watched with it.

    Attributes
    ----------
    file : str
        Its name, for messages.
    text : bytes
    beside : (str, bytes) or None
        Name and bytes of the GeoJSON file that its zones are drawn in, if there is one.
    routes : bytes or None
        A file of routes that forecasts follow (`watch/routes.py`), if there is one.
    """

    file: str
    text: bytes
    beside: tuple[str, bytes] | None = None
    routes: bytes | None = None


class Terms(Struct, frozen=True, kw_only=True):
    """One agreement version, ready.

    Attributes
    ----------
    written : AgreementText
    agreement : Agreement
    playbook : Playbook
    policy : Policy
    engine : Engine
    parties : frozenset of str
    custody : Custody or None
        Who holds the record in check, if the agreement says so.
    rules : Rules
        Of notices.
    """

    written: AgreementText
    agreement: Agreement
    playbook: Playbook
    policy: Policy
    engine: Engine
    parties: frozenset[str]
    custody: Custody | None
    rules: Rules

    @property
    def version(self) -> int:
        """The version's number."""
        return self.playbook.version


def read_text(path: Path, *, routes: Path | None = None) -> AgreementText:
    """Return the files of an agreement, and of the routes that are to be watched with it.

    Raises
    ------
    AgreementErrors
        What was refused of it.
    OSError
        If a file cannot be read.
    """
    agreement = load(path)
    name = given(agreement.geojson)
    beside = (name, (path.parent / name).read_bytes()) if name else None
    followed = routes.read_bytes() if routes else None
    return AgreementText(file=path.name, text=path.read_bytes(), beside=beside, routes=followed)


def compile_terms(written: AgreementText) -> Terms:
    """Return a version ready for a station.

    Raises
    ------
    AgreementErrors
        If it cannot be read, or run as it stands.
    SettingError
        If one of its rules cannot be watched.
    ReportError
        If its routes are none.
    """
    agreement = _agreement(written)
    watchlist, playbook, policy = compile_watchlist(agreement), compile_playbook(agreement), compile_policy(agreement)
    routes = NO_ROUTES if written.routes is None else load_routes(written.routes, Place("routes"))
    try:
        engine = Engine(watchlist, routes)
    except ValueError as error:
        raise SettingError(str(error), expected="rules that can be watched", place=Place(written.file)) from error
    return Terms(
        written=written,
        agreement=agreement,
        playbook=playbook,
        policy=policy,
        engine=engine,
        parties=frozenset(party.id for party in given(agreement.parties) or ()),
        custody=compile_custody(agreement),
        rules=compile_rules(agreement, watchlist),
    )


def _agreement(written: AgreementText) -> Agreement:
    if written.beside is None:
        return parse(written.text, file=written.file)
    name, geojson = written.beside
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        (Path(folder) / Path(name).name).write_bytes(geojson)
        return parse(written.text, file=written.file, folder=Path(folder))


def check_successor(old: Terms, new: Terms) -> None:
    """See that a version may follow another in one station.

    Raises
    ------
    RefusedError
        If it is another agreement, or no later version.
    """
    if new.agreement.id != old.agreement.id:
        raise RefusedError(f"found the agreement {new.agreement.id!r}, expected {old.agreement.id!r} in this folder")
    if new.version <= old.version:
        raise RefusedError(f"found version {new.version} with other words, expected one after {old.version}")
