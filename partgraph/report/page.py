"""Writes a report as one HTML file that needs nothing else: no network, no server, no other file."""

from __future__ import annotations

import os
import tempfile
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from partgraph.report import markup, palette
from partgraph.report.content import Report
from partgraph.report.data import embed_json, viewer_data

_TURN = "Drag a 3D view to turn it, double-click to reset it, point at a part for its name."
_SIDES = "Limbs of the left side are fainter."
_ALIGN = "Align moves, turns and scales every 3D pose onto the truth, as the error does."
_ALIGN_BUTTON = '<button type="button" data-act="align" aria-pressed="true">Align</button>'


def write_report(report: Report, path: str | os.PathLike[str]) -> Path:
    """Write the report to `path` and return it; an older file is replaced only once the new one is complete.

    Parameters
    ----------
    report : Report
        What to show.
    path : path
        The HTML file; its folder must exist.

    Returns
    -------
    Path
        The file.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write {target}: there is no folder {target.parent}; create it first."
        )
    text = render(report)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    draft = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", errors="xmlcharrefreplace") as file:
            file.write(text)
        draft.chmod(0o644)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return target


def render(report: Report) -> str:
    """The page's HTML."""
    lead = f'<p class="lead">{escape(report.lead)}</p>' if report.lead else ""
    return _template("page.html").substitute(
        title=escape(report.title),
        style=palette.style_sheet() + _source("page.css"),
        lead=lead,
        facts=markup.facts_html(report.facts),
        tables="".join(markup.table_html(table) for table in report.tables),
        gallery=_gallery(report) if report.cases else "",
        footer=markup.facts_html(report.footer),
        poses=embed_json(viewer_data(report)),
        script=_source("drawing.js") + _source("viewer.js"),
    )


def _gallery(report: Report) -> str:
    groups, first_case = [], 0
    for index, group in enumerate(report.groups):
        groups.append(markup.group_html(group, index, first_case, report))
        first_case += len(group.cases)
    spatial = report.dimensions == 3
    alignable = spatial and report.truth_name is not None
    hint = [_TURN] * spatial + [_SIDES] * ("left" in report.skeleton.sides) + [_ALIGN] * alignable
    views = _template("views.html").substitute(align=_ALIGN_BUTTON if alignable else "")
    return _template("gallery.html").substitute(
        contents=markup.contents_html(report),
        hint=" ".join(hint),
        switches=markup.switches_html(report),
        views=views if spatial else "",
        groups="".join(groups),
    )


def _template(name: str) -> Template:
    return Template(_source(name))


def _source(name: str) -> str:
    return resources.files("partgraph.report").joinpath(name).read_text(encoding="utf-8")
