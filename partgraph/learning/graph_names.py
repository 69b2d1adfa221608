"""Graph files that an experiment names: found beside its own file, and copied beside the weights it leads to.

In memory such a name is a path that can be opened; in a file it is relative to the folder that the file lies in. Shown
is the file's own name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path, PurePath

from partgraph.graph_files import SUFFIX, load_graph
from partgraph.learning.experiment import Experiment

FOLDER = "graphs"
"""Where a trained network keeps copies, in its own folder."""


def copied_to(experiment: Experiment, folder: Path) -> Experiment:
    """The experiment as a file in `folder` has it, which gets a copy of every graph file.

    Raises
    ------
    ProblemError
        When one is no graph file.
    """
    content: dict[str, bytes] = {}

    def collect(name: str) -> str:
        load_graph(name)
        content[name] = Path(name).read_bytes()
        return name

    # All, before any is written: a copy may take the place of another's source.
    experiment.with_graph_files(collect)
    copies = {name: f"{FOLDER}/{own}" for name, own in _different(content).items()}
    for name, copy in copies.items():
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        (folder / copy).write_bytes(content[name])
    return experiment.with_graph_files(copies.__getitem__)


def shown(names: Iterable[str]) -> dict[str, str]:
    """What each graph is called in tables: a file by its own name, or by its path where two files have one name."""
    every = tuple(dict.fromkeys(names))
    short = {name: PurePath(name).name if name.endswith(SUFFIX) else name for name in every}
    return {name: own if list(short.values()).count(own) == 1 else name for name, own in short.items()}


def _different(paths: Iterable[str]) -> dict[str, str]:
    """A name for each file: its own, numbered where another one has it."""
    names: dict[str, str] = {}
    for path in paths:
        own = PurePath(path)
        candidates = (own.stem + (f"-{k}" if k > 1 else "") + own.suffix for k in itertools.count(1))
        names[path] = next(name for name in candidates if name not in names.values())
    return names
