"""Chapters: the versions of an agreement that are in force while a watch runs, each compiled, each for its own time.

Which version holds at an instant is `agreement/versions/in_force.py`'s to say. Every version's watch is given all
reports; what they say of the instant between them, of a track that is inside when the text changes, is put together by
`watch/versions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from tocsin.agreement.compile import compile_playbook, compile_watchlist
from tocsin.agreement.load import load
from tocsin.agreement.model import Agreement
from tocsin.agreement.playbook import Playbook
from tocsin.agreement.terms.state import given
from tocsin.agreement.versions.in_force import signing_of, versions_in_force, watchlist_in_force
from tocsin.agreement.versions.signatures import Signed
from tocsin.agreement.visible import Policy, compile_policy
from tocsin.agreement.watchlist import Watchlist
from tocsin.errors import AgreementError, Place, SettingError
from tocsin.kernels.forecast.routes import Routes
from tocsin.record.envelope import EVERYBODY
from tocsin.tracks.batch import ReportBatch
from tocsin.watch.engine import Engine
from tocsin.watch.found import EventBatch
from tocsin.watch.replay import replay as replay_watch
from tocsin.watch.routes import NO_ROUTES
from tocsin.watch.versions import at_seams

YAML = (".yaml", ".yml")
"""Endings of the files of a folder of versions."""


class Chapter(Struct, frozen=True, kw_only=True):
    """One version, and the time in which it is the one in force.

    Attributes
    ----------
    agreement : Agreement
    watchlist : Watchlist
    playbook : Playbook
    policy : Policy
    from_us, to_us : int or None
        Half-open; None where there is no bound.
    """

    agreement: Agreement
    watchlist: Watchlist
    playbook: Playbook
    policy: Policy
    from_us: int | None
    to_us: int | None

    @property
    def parties(self) -> frozenset[str]:
        """The parties of the version, by id."""
        return frozenset(party.id for party in given(self.agreement.parties) or ())

    @property
    def everybody(self) -> frozenset[str]:
        """The audience of what all parties may read, whoever they are."""
        return self.parties or frozenset({EVERYBODY})


def load_versions(path: Path, others: Sequence[Path] = ()) -> list[Agreement]:
    """Return the versions of an agreement: of a file, or of every YAML file of a folder, and of further files.

    Raises
    ------
    AgreementErrors
        As `load`.
    SettingError
        If a folder holds no agreement.
    """
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in YAML) if path.is_dir() else [path]
    if not files:
        raise SettingError(
            "a folder without YAML files", expected="the versions of an agreement", place=Place(str(path))
        )
    return [load(file) for file in (*files, *others)]


def chapters_of(versions: Sequence[Agreement], signatures: Sequence[Signed] | None = None) -> list[Chapter]:
    """Return the versions that are ever in force, compiled, in order of time.

    Parameters
    ----------
    versions : sequence of Agreement
        Versions of one agreement, one or more.
    signatures : sequence of Signed or None
        Verified; None does not ask for them.

    Returns
    -------
    list of Chapter
        One or more; a single version without an end of its own is in force always.

    Raises
    ------
    AgreementErrors
        For a version that cannot be compiled.
    AgreementError
        If the versions do not follow each other, or none of them is ever in force.
    """
    if len(versions) == 1 and signatures is None:
        (agreement,) = versions
        effective = given(agreement.effective)
        bounds = (given(effective.from_us), given(effective.to_us)) if effective else (None, None)
        return [_chapter(agreement, compile_watchlist(agreement), *bounds)]
    found = [
        _chapter(version.agreement, watchlist_in_force(version), version.from_us, version.to_us)
        for version in versions_in_force(versions, signatures)
    ]
    if not found:
        missing = {p for v in versions for p in signing_of(v, signatures or ()).missing}
        why = f"signatures of {', '.join(sorted(missing))}" if missing else "an end after the beginning"
        place = versions[-1].where("effective")
        raise AgreementError("no version that is ever in force", expected=why, place=place)
    return found


def chapter_at(chapters: Sequence[Chapter], at_us: int) -> Chapter:
    """Return the chapter of an instant: the last one that has begun, else the first."""
    begun = [c for c in chapters if c.from_us is None or c.from_us <= at_us]
    return begun[-1] if begun else chapters[0]


def watch_chapters(
    engines: Sequence[Engine], reports: ReportBatch, *, watching: Callable[[int], None] = lambda _: None
) -> tuple[list[EventBatch], int]:
    """Return what each version's watch found in all of the reports.

    Parameters
    ----------
    engines : sequence of Engine
    reports : ReportBatch
        In canonical order.
    watching : callable
        Told how many reports have been watched.

    Returns
    -------
    events : list of EventBatch
        One for each engine.
    repeated : int
        Reports that were not used, because their track already had a fix at that instant.
    """
    found: list[EventBatch] = []
    repeated = 0
    for engine in engines:
        events, state = replay_watch(engine, reports, progress=watching)
        found.append(events)
        repeated = state.repeated
    return at_seams(found), repeated


def engines_of(chapters: Sequence[Chapter], routes: Routes = NO_ROUTES) -> list[Engine]:
    """Return an engine for each chapter.

    Parameters
    ----------
    chapters : sequence of Chapter
    routes : Routes
        Paths of earlier tracks, by which all forecast.

    Raises
    ------
    SettingError
        For a rule that cannot be watched as it stands.
    """
    found = []
    for chapter in chapters:
        try:
            found.append(Engine(chapter.watchlist, routes))
        except ValueError as error:
            place = Place(chapter.agreement.document.file)
            raise SettingError(str(error), expected="rules that can be watched", place=place) from error
    return found


def _chapter(agreement: Agreement, watchlist: Watchlist, from_us: int | None, to_us: int | None) -> Chapter:
    return Chapter(
        agreement=agreement,
        watchlist=watchlist,
        playbook=compile_playbook(agreement),
        policy=compile_policy(agreement),
        from_us=from_us,
        to_us=to_us,
    )
