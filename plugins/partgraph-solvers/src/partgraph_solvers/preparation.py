"""What the exact solver prepares for a problem before it knows any scores, and how a run begins with scores.

There are two ways, with the same method: compiled code for graphs whose terms are all quadratic, and NumPy, star by
star, for any others.
"""

from __future__ import annotations

import abc
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import attrs
import numpy as np

from partgraph import Problem
from partgraph_solvers import _loops
from partgraph_solvers.clock import Clock
from partgraph_solvers.compiled import BlockSet, all_compile
from partgraph_solvers.compiled_relaxation import CompiledPolisher, CompiledRelaxation, layout_of
from partgraph_solvers.coordinate_ascent import CoordinateAscent
from partgraph_solvers.copies import Copies
from partgraph_solvers.dual import first_multipliers
from partgraph_solvers.relaxation import Relaxation
from partgraph_solvers.remainder import Remainder
from partgraph_solvers.rounding import Polishing
from partgraph_solvers.subproblems import Subproblem, subproblem


class Relaxing(Protocol):
    """Stars that share the score, and what is left of the candidates: `relaxation.Relaxation` explains all of this."""

    @property
    def bound(self) -> float: ...
    @property
    def pairs(self) -> int: ...
    @property
    def sizes(self) -> tuple[int, ...]: ...
    @property
    def labels(self) -> tuple[np.ndarray, ...]: ...
    @property
    def rest(self) -> Remainder: ...
    def rounding(self, score: float) -> float: ...
    def solve_all(self) -> list[list[int]]: ...
    def drop(self, s: int, score: float, ahead: Collection[int]) -> None: ...
    def keep(self, kept: Mapping[int, np.ndarray]) -> None: ...
    def rounded(self, first: int) -> list[int]: ...


@attrs.frozen(eq=False)
class Preparation(abc.ABC):
    """State that does not depend on scores.

    Attributes
    ----------
    copies : Copies
        The stars, which partition the edges, and the copies of the parts they share.
    """

    copies: Copies

    @abc.abstractmethod
    def begin(self, problem: Problem, clock: Clock) -> tuple[Relaxing, Polishing]:
        """Return the stars, and moves of single parts, for the scores of `problem`, all in tables."""


def prepare(problem: Problem) -> Preparation:
    """Prepare for all candidates of a problem. Its scores and unary terms are not used."""
    stars = problem.graph.stars()
    copies = Copies(problem, stars)
    multipliers = first_multipliers(problem, copies)
    slopes = [np.zeros((len(star.parts), problem.dimensions)) for star in stars]
    for own, of_slave in zip(slopes, copies.of_slave, strict=True):
        own[copies.slot[of_slave]] = multipliers[of_slave]
    if all_compile(problem):
        return Compiled(copies, layout_of(problem, stars, slopes))
    return General.of(problem, copies, slopes)


@attrs.frozen(eq=False)
class Compiled(Preparation):
    """For quadratic terms."""

    layout: _loops.Layout

    def begin(self, problem: Problem, clock: Clock) -> tuple[Relaxing, Polishing]:
        """Put the scores in blocks, once for both."""
        unaries = _loops.Unaries(self.layout, [own.scores for own in problem.candidates])
        return CompiledRelaxation(problem, len(self.copies.stars), unaries, clock), CompiledPolisher(unaries)


@attrs.frozen(eq=False)
class General(Preparation):
    """For any terms.

    Attributes
    ----------
    slopes : list of array
        For each star (parts, D) float64: multipliers that cancel contradictions between expected offsets.
    blocks : BlockSet
        Blocks of all candidates.
    subproblems : list of Subproblem
        One per star.
    moves : CoordinateAscent
        Moves of single parts, to polish configurations.
    """

    slopes: Sequence[np.ndarray]
    blocks: BlockSet
    subproblems: Sequence[Subproblem]
    moves: CoordinateAscent

    @classmethod
    def of(cls, problem: Problem, copies: Copies, slopes: Sequence[np.ndarray]) -> General:
        """Build everything."""
        rest, blocks = Remainder.of(problem), BlockSet()
        stars = [subproblem(rest, star, own, blocks) for star, own in zip(copies.stars, slopes, strict=True)]
        return cls(copies, slopes, blocks, stars, CoordinateAscent.of(problem, blocks))

    def begin(self, problem: Problem, clock: Clock) -> tuple[Relaxing, Polishing]:
        """Share the stars' work."""
        rest = Remainder.of(problem)
        relaxation = Relaxation(rest, self.copies.stars, self.slopes, self.blocks, self.subproblems, clock)
        return relaxation, self.moves.polisher(problem)
