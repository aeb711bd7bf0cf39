"""`tocsin init`: asks what an agreement has to say, one question after the other, and writes a first draft."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tocsin.agreement.draft.interview import Asked
    from tocsin.errors import AgreementError

HELP = (
    "Answer in YAML (a word, `55 km`, `[north, south]`). Enter alone or `not set`: not agreed, and written so."
    " `n/a`: does not arise. `?`: why it is asked. `q`: all the rest not set."
)
"""What a person is told first."""


def init_command(
    out: Annotated[Path, typer.Argument(help="The file to write; must not exist.")],
    answers: Annotated[
        Path | None, typer.Option(help="Answers: a YAML file of `path: answer`; what it leaves out is not set.")
    ] = None,
    agreement_id: Annotated[str | None, typer.Option("--id", help="The agreement's id; else the file's name.")] = None,
    questions: Annotated[
        bool, typer.Option("--questions", help="Print the questions with why and an example, and write nothing.")
    ] = False,
) -> None:
    """Ask the questions of the checklist one by one and write a draft; a question left open is written `not_set`.

    Answers come from a person, from a pipe (one line a question, the rest not set), or from `--answers`.

    Example: tocsin init north-valley.yaml
    """
    if questions:
        print("\n".join(_catalogue()))
        return
    from tocsin.agreement.draft.interview import interview

    if out.exists():
        sys.stderr.write(f"tocsin: {out}: there is a file already; a draft never overwrites one\n")
        raise typer.Exit(2)
    name = agreement_id or re.sub(r"[^A-Za-z0-9_.-]+|^[^A-Za-z]+", "-", out.stem).strip("-") or "agreement"
    told = _file(answers) if answers else None
    ask = _Person() if told is None else told
    held = interview(name, ask, refused=ask.refused)
    if told is not None:
        told.finish()
    try:
        with out.open("xb") as file:
            file.write(held.text().encode())
    except FileExistsError:
        sys.stderr.write(f"tocsin: {out}: there is a file already; a draft never overwrites one\n")
        raise typer.Exit(2) from None
    open_ones = len({code for asked in held.not_set for code in asked.question.codes})
    sys.stderr.write(f"{out}: {len(held.not_set)} answers not set, of {open_ones} checks. Next: tocsin lint {out}\n")


def _catalogue() -> Iterator[str]:
    from tocsin.agreement.draft.questions import QUESTIONS
    from tocsin.agreement.findings.why import WHY

    for question in QUESTIONS:
        yield f"{question.path}: {question.ask.format(who='each')}"
        yield from (f"    {code}: {WHY[code]}" for code in question.codes)
        yield f"    such as: {question.example}"


class _Person:
    """Asks on stderr and reads lines from stdin, typed or piped."""

    def __init__(self) -> None:
        self.is_typed = sys.stdin.isatty()
        self.ended = False
        if self.is_typed:
            sys.stderr.write(HELP + "\n")

    def __call__(self, asked: Asked) -> str:
        while not self.ended:
            if self.is_typed:
                codes = f" ({', '.join(asked.question.codes)})" if asked.question.codes else ""
                sys.stderr.write(f"\n{asked.ask}{codes}\n  {asked.path}, such as {asked.question.example}\n> ")
                sys.stderr.flush()
            line = sys.stdin.readline()
            if line.strip() == "?":
                sys.stderr.write("".join(f"  {why}\n" for why in asked.why) or "  It may stay open.\n")
                continue
            if line and line.strip() != "q":
                return line
            self.ended = True
        return ""

    def refused(self, asked: Asked, error: AgreementError) -> None:
        """Say why; a pipe cannot answer again."""
        sys.stderr.write(f"  found {error.found}, expected {error.expected}\n")
        if not self.is_typed:
            raise error


class _Answers:
    """Looks answers up in a file."""

    def __init__(self, told: dict[str, str], file: str) -> None:
        self.left = told
        self.file = file

    def __call__(self, asked: Asked) -> str:
        return self.left.pop(asked.path, "")

    def refused(self, asked: Asked, error: AgreementError) -> None:
        """End: the file has to be mended."""
        from tocsin.errors import AgreementError, Place

        raise AgreementError(error.found, expected=error.expected, place=Place(self.file, path=error.place.path))

    def finish(self) -> None:
        """Refuse answers to what was not asked, so that none is lost unsaid."""
        from difflib import get_close_matches

        from tocsin.agreement.draft.questions import QUESTIONS
        from tocsin.errors import AgreementError, Place

        for path in self.left:
            near = get_close_matches(re.sub(r"\[[^\]]*\]", "[]", path), [q.path for q in QUESTIONS], 1)
            expected = f"a question that arises here (nearest: {near[0]})" if near else "the path of a question"
            raise AgreementError(f"an answer to {path!r}", expected=expected, place=Place(self.file, path=path))


def _file(path: Path) -> _Answers:
    from tocsin.agreement.source.document import compose
    from tocsin.agreement.source.flow import flow
    from tocsin.errors import AgreementError, Place

    document = compose(path.read_bytes(), file=str(path))
    told = document.root.plain()
    if not isinstance(told, dict):
        raise AgreementError("no mapping", expected="path: answer", place=Place(str(path)))
    return _Answers({key: "" if value is None else flow(value) for key, value in told.items()}, str(path))
