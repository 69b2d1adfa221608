"""What all data sets of people have in common: MPII's parts, whose left and right are exchanged by a mirror."""

from __future__ import annotations

from partgraph.learning.dataset import Dataset
from partgraph_humanpose.skeleton import FLIP, LIMBS, PARTS, ROOT


class HumanDataset(Dataset):
    """A data set of people with the sixteen parts of `skeleton`."""

    @property
    def parts(self) -> tuple[str, ...]:
        return PARTS

    @property
    def limbs(self) -> tuple[tuple[str, str], ...]:
        return LIMBS

    @property
    def flip(self) -> tuple[int, ...]:
        return FLIP

    @property
    def root(self) -> int:
        return ROOT
