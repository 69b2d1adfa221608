"""Which candidates of trees can be in one of the n best configurations: max-sum messages over boxes, then over points.

Candidates in spatial order fall into runs, each in a box. An upper bound of the terms between boxes, and the highest
score in each, make a small problem whose max-marginals bound those of all candidates inside. Boxes whose max-marginal
is below the score of the n-th best configuration known are dropped; the others are divided, until boxes are points and
bounds are scores. The n-th best known comes from the same messages over one candidate of every box, that of the highest
score: n candidates of the root, each with its best configuration, are n different configurations.

Messages are passed upwards first; on the way down a part's boxes are dropped before they send to its children, so
that only survivors are compared. All pairs are evaluated in tiles of bounded memory. Without boxes, which is `runs =
()`, this is brute force.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from partgraph import Interval
from partgraph_torch.batch import Batch, boxes
from partgraph_torch.forest import Branch, Tree

Edges = Sequence[tuple[int, int]]


class Level:
    """Runs of one size that are still in question, for all problems of a batch."""

    def __init__(self, batch: Batch, edges: Edges, run: int, kept: list[Tensor], tile: int) -> None:
        self.batch, self.edges, self.run, self.kept, self.tile = batch, edges, run, kept, tile
        self.pairs = 0  # of runs compared so far, in each problem
        tops = [own.unflatten(1, (-1, run)).max(2) for own in batch.scores]
        best = [
            top.indices + torch.arange(0, top.indices.shape[1] * run, run, device=top.indices.device)
            for top in tops
        ]
        self.tops = [_at(top.values, own, -torch.inf) for top, own in zip(tops, kept, strict=True)]
        self._best = [_at(own, keep, 0) for own, keep in zip(best, kept, strict=True)]

    def boxes_of(self, part: int, points: Tensor, alone: bool) -> Interval:
        """Return boxes of the runs left of a part, (B, n, D); `alone`: points, of each run the best candidate."""
        if alone:
            return Interval.of(_rows(points, self._best[part]))
        box = boxes(points, self.run)
        keep = self.kept[part].clamp(min=0)
        return Interval(_rows(box.lo, keep), _rows(box.hi, keep))

    def message(self, branch: Branch, to_parent: bool, values: Tensor, alone: bool) -> Tensor:
        """Return the best of values (B, n) of one end plus the terms, for every run of the other end: (B, m)."""
        here = branch.parent if to_parent else branch.child
        result = torch.full_like(self.tops[here], -torch.inf)
        count, width = result.shape[1], values.shape[1]
        self.pairs += count * width * len(branch.edges)
        ends = [
            (
                self.boxes_of(i, self.batch.anchors[e], alone),
                self.boxes_of(j, self.batch.positions[j], alone),
                i == here,
            )
            for e, (i, j) in ((e, self.edges[e]) for e in branch.edges)
        ]
        step = max(1, self.tile // (max(1, width) * len(values)))
        for start in range(0, count, step):
            part = slice(start, start + step)
            total = values[:, None]
            for (first, second, outward), e in zip(ends, branch.edges, strict=True):
                terms = self.batch.terms[e]
                if outward:
                    total = total + terms.upper(_cut(first, part), second)
                else:
                    total = total + terms.upper(first, _cut(second, part)).transpose(1, 2)
            result[:, part] = total.amax(2)
        return result

    def upward(self, tree: Tree, alone: bool) -> tuple[dict[int, Tensor], list[Tensor]]:
        """Return for every part the best of its subtree, (B, n), and the message of every branch to its parent."""
        sums = {part: self.tops[part] for part in tree.parts}
        messages: list[Tensor] = []
        for branch in reversed(tree.branches):
            messages.append(self.message(branch, True, sums[branch.child], alone))
            sums[branch.parent] = sums[branch.parent] + messages[-1]
        return sums, messages[::-1]

    def narrow(self, tree: Tree, sums: dict[int, Tensor], messages: list[Tensor], least: Tensor) -> None:
        """Drop the runs of a tree's parts whose max-marginals are below `least` (B,)."""
        whole = {tree.root: sums[tree.root]}
        self._keep(tree.root, whole, sums, messages, tree, least)
        for index, branch in enumerate(tree.branches):
            others = whole[branch.parent] - messages[index]
            others = torch.where(whole[branch.parent] == -torch.inf, -torch.inf, others)
            down = self.message(branch, False, others, False)
            whole[branch.child] = sums[branch.child] + down
            self._keep(branch.child, whole, sums, messages, tree, least)

    def _keep(
        self,
        part: int,
        whole: dict[int, Tensor],
        sums: dict[int, Tensor],
        messages: list[Tensor],
        tree: Tree,
        least: Tensor,
    ) -> None:
        """Drop runs of one part, from everything that is kept by its runs."""
        own = whole[part]
        alive = ~(own < least[:, None]) & (own != -torch.inf) & (self.kept[part] >= 0)  # what is NaN stays
        count = max(1, int(alive.sum(1).max()))
        order = (~alive).to(torch.int8).argsort(dim=1, stable=True)[:, :count]
        alive = torch.gather(alive, 1, order)
        self.kept[part] = torch.gather(self.kept[part], 1, order).masked_fill(~alive, -1)
        self.tops[part] = torch.gather(self.tops[part], 1, order).masked_fill(~alive, -torch.inf)
        self._best[part] = torch.gather(self._best[part], 1, order)
        whole[part] = torch.gather(own, 1, order).masked_fill(~alive, -torch.inf)
        sums[part] = torch.gather(sums[part], 1, order).masked_fill(~alive, -torch.inf)
        for index, branch in enumerate(tree.branches):
            if branch.parent == part:
                messages[index] = torch.gather(messages[index], 1, order)


def survivors(
    batch: Batch, edges: Edges, trees: Sequence[Tree], runs: Sequence[int], n_best: int, tile: int
) -> tuple[list[Tensor], int]:
    """Return for each part (B, n) places of candidates that may be in one of the n best configurations, -1 for none.

    And how many pairs of boxes or of points were compared for that, in each problem.
    """
    pairs = 0
    sizes = [*runs, 1]
    kept = [_every(own, sizes[0]) for own in batch.scores]
    known = torch.full_like(batch.magnitudes[:, 0], -torch.inf)
    for level, run in enumerate(sizes):
        stage = Level(batch, edges, run, kept, tile)
        found = [stage.upward(tree, alone=True) for tree in trees]
        tops = [sums[tree.root] for tree, (sums, _) in zip(trees, found, strict=True)]
        best = [own.amax(1).double() for own in tops]
        total = sum(best[1:], best[0])
        for own, top in zip(tops, best, strict=True):
            if own.shape[1] >= n_best:
                nth = own.topk(n_best, dim=1).values[:, -1].double()
                known = torch.maximum(known, torch.nan_to_num(total - top, nan=-torch.inf) + nth)
        bounded = found if run == 1 else [stage.upward(tree, alone=False) for tree in trees]
        most = [sums[tree.root].amax(1).double() for tree, (sums, _) in zip(trees, bounded, strict=True)]
        least = known - batch.rounding(known)
        for index, (tree, (sums, messages)) in enumerate(zip(trees, bounded, strict=True)):
            others = sum((own for other, own in enumerate(most) if other != index), torch.zeros_like(known))
            rest = torch.where(known == -torch.inf, -torch.inf, least - others)
            stage.narrow(tree, sums, messages, rest.to(sums[tree.root].dtype))
        kept, pairs = stage.kept, pairs + stage.pairs
        if run > 1:
            kept = [_divided(own, run // sizes[level + 1]) for own in kept]
    return kept, pairs


def _every(scores: Tensor, run: int) -> Tensor:
    return torch.arange(scores.shape[1] // run, device=scores.device).expand(len(scores), -1)


def _divided(runs: Tensor, parts: int) -> Tensor:
    """Return the numbers of the smaller runs in these: (B, n) becomes (B, n * parts)."""
    inner = runs[..., None] * parts + torch.arange(parts, device=runs.device)
    return torch.where(runs[..., None] < 0, -1, inner).flatten(1)


def _at(values: Tensor, places: Tensor, missing: float) -> Tensor:
    return torch.gather(values, 1, places.clamp(min=0)).masked_fill(places < 0, missing)


def _rows(points: Tensor, places: Tensor) -> Tensor:
    return torch.gather(points, 1, places[..., None].expand(-1, -1, points.shape[2]))


def _cut(box: Interval, rows: slice) -> Interval:
    return Interval(box.lo[:, rows], box.hi[:, rows])
