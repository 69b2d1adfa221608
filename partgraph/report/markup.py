"""The parts of a report as HTML; every text is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from partgraph.report.cases import Case, Group
from partgraph.report.content import Fact, Report
from partgraph.report.images import data_uri
from partgraph.report.tables import Cell, Column, Row, Table, format_number

# The picture's pane keeps its picture's shape within these ratios of width to height, so that cards stay alike.
_NARROWEST, _WIDEST = 3 / 4, 3 / 2


def facts_html(facts: Iterable[Fact]) -> str:
    """Labels and values as a definition list, or nothing."""
    items = "".join(
        f"<div><dt>{escape(fact.label)}</dt><dd>{escape(fact.value)}{_optional('small', fact.note)}</dd></div>"
        for fact in facts
    )
    return f'<dl class="facts">{items}</dl>' if items else ""


def contents_html(report: Report) -> str:
    """Links to the groups of cases; nothing for a single group."""
    if len(report.groups) < 2:
        return ""
    links = "".join(
        f'<a href="#group-{index}">{escape(group.title)}<span>{len(group.cases)}</span></a>'
        for index, group in enumerate(report.groups)
    )
    return f'<nav aria-label="Groups of cases">{links}</nav>'


def table_html(table: Table) -> str:
    """A table whose uncertainties have a column of their own, so that numbers stay aligned."""
    split = tuple(
        any(row.cells[index].uncertainty is not None for row in table.rows)
        for index in range(len(table.columns))
    )
    noted = any(row.note for row in table.rows)
    head = "".join(_column_head(column, wide) for column, wide in zip(table.columns, split, strict=True))
    body = "".join(_row(row, table.columns, split, noted) for row in table.rows)
    notes = '<th scope="col"><span class="hidden">Note</span></th>' if noted else ""
    unit = f' <span class="unit">{escape(table.unit)}</span>' if table.unit else ""
    return (
        f'<section class="table"><h2>{escape(table.title)}{unit}</h2>{_optional("p", table.caption)}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>'
        f"<thead><tr><td></td>{head}{notes}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def group_html(group: Group, index: int, first_case: int, report: Report) -> str:
    """A group of cases; `first_case` is the report-wide index of its first one."""
    cards = "".join(_case(case, first_case + offset, report) for offset, case in enumerate(group.cases))
    return (
        f'<section class="group" id="group-{index}"><h2>{escape(group.title)}</h2>{_optional("p", group.caption)}'
        f'<div class="cases">{cards}</div></section>'
    )


def switches_html(report: Report) -> str:
    """One switch for each pose of the report, for every case at once."""
    names = report.pose_names if report.truth_name is None else (report.truth_name, *report.pose_names)
    return "".join(_switch(name, report) for name in names)


def _column_head(column: Column, split: bool) -> str:
    span = ' colspan="2"' if split else ""
    return f'<th scope="col"{span}>{escape(column.name)}{_optional("small", column.unit)}</th>'


def _row(row: Row, columns: tuple[Column, ...], split: tuple[bool, ...], noted: bool) -> str:
    cells = "".join(
        _cell(cell, column, wide) for cell, column, wide in zip(row.cells, columns, split, strict=True)
    )
    note = f'<td class="note">{escape(row.note)}</td>' if noted else ""
    emphasis = ' class="emphasis"' if row.emphasis else ""
    return f'<tr{emphasis}><th scope="row">{escape(row.label)}</th>{cells}{note}</tr>'


def _cell(cell: Cell, column: Column, split: bool) -> str:
    value = cell.value if isinstance(cell.value, str) else format_number(cell.value, column.decimals)
    text = escape(value)
    emphasis = ' class="emphasis"' if cell.emphasis else ""
    if not split:
        return f"<td{emphasis}>{text}</td>"
    spread = "" if cell.uncertainty is None else f"± {format_number(cell.uncertainty, column.decimals)}"
    return f'<td{emphasis}>{text}</td><td class="spread">{spread}</td>'


def _case(case: Case, index: int, report: Report) -> str:
    height, width = case.image.shape[:2]
    ratio = min(max(width / height, _NARROWEST), _WIDEST)
    legend = "".join(f"<li>{_switch(pose.name, report, pose.error)}</li>" for pose in case.all_poses)
    title = escape(case.title)
    space = (
        f'<canvas class="space" tabindex="0" role="img" aria-label="3D poses of {title}; arrow keys turn the view">'
        "</canvas>"
        if report.dimensions == 3
        else ""
    )
    return (
        f'<article class="case" data-case="{index}"><h3>{title}</h3>'
        f'<div class="panes" style="--ratio:{ratio:.4f}"><div class="picture">'
        f'<img src="{data_uri(case.image)}" alt="{title}"><canvas class="overlay" aria-hidden="true"></canvas></div>'
        f'{space}</div><ul class="legend">{legend}</ul>{_optional("p", case.caption)}</article>'
    )


def _switch(name: str, report: Report, error: float | None = None) -> str:
    colour = report.colours[name]
    checked = " checked" if not report.shown or name in report.shown else ""
    figure = "" if error is None else f'<span class="error">{format_number(error, 0)}<small>mm</small></span>'
    return (
        f'<label style="--pose:var(--pose-{colour})"><input type="checkbox" data-pose="{colour}"{checked}>'
        f"<span>{escape(name)}</span>{figure}</label>"
    )


def _optional(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if text else ""
