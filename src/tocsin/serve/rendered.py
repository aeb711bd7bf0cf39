"""Pages for people, rendered: the answer page and the form of notices. No script, nothing foreign.

Jinja is loaded with the first page that is asked for: a station that shows none starts sooner.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from jinja2 import Environment

STYLE_PATH = "/answer/style.css"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("tocsin.serve", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def page(name: str, status: int = 200, **values: Any) -> Response:
    """Return a page.

    Parameters
    ----------
    name : str
        Of a template in `serve/pages`.
    status : int
    **values
        What it shows; escaped.

    Raises
    ------
    jinja2.UndefinedError
        If the template shows something that is not given.
    """
    return HTMLResponse(_environment().get_template(name).render(style=STYLE_PATH, **values), status_code=status)
