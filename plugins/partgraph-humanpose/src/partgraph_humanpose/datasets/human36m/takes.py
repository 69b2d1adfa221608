"""Which file is which take: the irregular names of the release, by the table in its ``metadata.xml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from partgraph_humanpose.datasets.human36m.protocol import ACTION_OF_NUMBER, ACTIONS, action_of

Take = tuple[str, int]
"""An action, and the number of one of its two takes, the release's *subaction*."""

Takes = Mapping[str, Mapping[str, Take]]
"""By subject and official name: ``takes["S1"]["Eating 2"] == ("Eating", 1)``."""


def read_takes(path: Path) -> Takes:
    """The table ``mapping`` of ``metadata.xml``: a row of names for each action and subaction, a column a subject.

    Empty where there is no such file or no such table.
    """
    try:
        rows = [
            [cell.text or "" for cell in row]
            for row in ElementTree.parse(path).getroot().iterfind("mapping/tr")
        ]
    except (OSError, ElementTree.ParseError):
        return {}
    if not rows or rows[0][:2] != ["Action", "subaction"]:
        return {}
    takes: dict[str, dict[str, Take]] = {subject: {} for subject in rows[0][2:]}
    for action, subaction, *names in rows[1:]:
        if action.isdigit() and int(action) in ACTION_OF_NUMBER and subaction.isdigit():
            for subject, name in zip(takes, names, strict=False):
                takes[subject][_plain(name)] = ACTION_OF_NUMBER[int(action)], int(subaction)
    return takes


def take_of(name: str, subject: str, takes: Takes) -> Take | None:
    """The take of an official name, or of an action and number joined by a hyphen; None when it is in neither form."""
    numbered = re.fullmatch(r"[A-Za-z]+-(\d)", name)
    if numbered and action_of(name) in ACTIONS:
        return action_of(name), int(numbered[1])
    return takes.get(subject, {}).get(_plain(name))


def _plain(name: str) -> str:
    """The name with the paper's word for the action: S1's "TakingPhoto 1" is "Photo 1" elsewhere."""
    _, _, number = name.partition(" ")
    return f"{action_of(name)} {number}".rstrip()
