"""Report: one replay as one HTML file that opens offline.

`Report` is what it needs to know, `write_report` makes the file. It decides nothing: every number, step and sentence
about what happened comes from the rooms below, and what it leaves out for lack of room it says.
"""

from tocsin.serve.report.model import Checked, CheckpointLine, Mark, PartyLine, Provenance, Report, Terms, ZoneShape
from tocsin.serve.report.page import render_report, write_report

__all__ = [
    "Checked",
    "CheckpointLine",
    "Mark",
    "PartyLine",
    "Provenance",
    "Report",
    "Terms",
    "ZoneShape",
    "render_report",
    "write_report",
]
