"""What a report says, from its title to its footer, as one immutable value."""

from __future__ import annotations

from typing import final

import attrs

from partgraph.report.cases import Case, Group, Skeleton
from partgraph.report.frozen import as_tuple
from partgraph.report.palette import MAX_POSES
from partgraph.report.tables import Table


@final
@attrs.frozen
class Fact:
    """A label and its value: a key figure at the head of a report, or a line of its footer."""

    label: str
    value: str
    note: str = ""


@final
@attrs.frozen
class Report:
    """Everything that one page shows, in reading order.

    Attributes
    ----------
    title, lead : str
        Plain text; `lead` is the opening paragraph.
    skeleton : Skeleton
        That of every pose in the report.
    facts, tables, groups : tuple
        Key figures, tables, and cases in groups such as the best and the worst.
    shown : tuple of str
        Names of the poses that are visible at first; empty means all.
    footer : tuple of Fact
        How the report came about, e.g. command, version and date.
    """

    title: str
    skeleton: Skeleton
    lead: str = ""
    facts: tuple[Fact, ...] = attrs.field(converter=as_tuple, default=())
    tables: tuple[Table, ...] = attrs.field(converter=as_tuple, default=())
    groups: tuple[Group, ...] = attrs.field(converter=as_tuple, default=())
    shown: tuple[str, ...] = attrs.field(converter=as_tuple, default=())
    footer: tuple[Fact, ...] = attrs.field(converter=as_tuple, default=())

    def __attrs_post_init__(self) -> None:
        parts = len(self.skeleton.parts)
        for case in self.cases:
            found = case.all_poses[0].positions.shape
            if found[0] != parts:
                raise ValueError(
                    f"Report: case {case.title!r} has poses of {found[0]} parts, the skeleton has {parts}; "
                    "give every part a row, NaN where its position is unknown."
                )
            if found[1] != self.dimensions:
                raise ValueError(
                    f"Report: case {case.title!r} has {found[1]}D poses, the first case {self.dimensions}D; "
                    "write one report for each."
                )
        if len(self.pose_names) > MAX_POSES:
            raise ValueError(
                f"Report: found {len(self.pose_names)} kinds of poses ({', '.join(self.pose_names)}); "
                f"at most {MAX_POSES} can be told apart by colour."
            )
        truths = {case.truth.name for case in self.cases if case.truth is not None}
        if len(truths) > 1 or truths & set(self.pose_names):
            raise ValueError(
                f"Report: the truth is called {', '.join(sorted(truths))}; use one name for it and no pose else."
            )
        unknown = set(self.shown) - truths - set(self.pose_names)
        if unknown:
            raise ValueError(
                f"Report: no pose is called {', '.join(sorted(unknown))}; "
                f"`shown` may name {', '.join([*truths, *self.pose_names])}."
            )

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases of all groups, in reading order."""
        return tuple(case for group in self.groups for case in group.cases)

    @property
    def dimensions(self) -> int:
        """2 or 3; 3 where there are no cases."""
        return int(self.cases[0].all_poses[0].positions.shape[1]) if self.cases else 3

    @property
    def truth_name(self) -> str | None:
        """What the true poses are called, or None where no case has one."""
        return next((case.truth.name for case in self.cases if case.truth is not None), None)

    @property
    def pose_names(self) -> tuple[str, ...]:
        """Names of the poses found, without the truth, by first appearance."""
        return tuple(dict.fromkeys(pose.name for case in self.cases for pose in case.poses))

    @property
    def colours(self) -> dict[str, int]:
        """Index in the palette by name: 0 for the truth, then poses shown at first, which are told apart best."""
        first = [name for name in self.pose_names if name in self.shown]
        colours = {
            name: index for index, name in enumerate(dict.fromkeys([*first, *self.pose_names]), start=1)
        }
        return colours if self.truth_name is None else {self.truth_name: 0} | colours
