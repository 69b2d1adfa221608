"""``partgraph data check`` and ``partgraph data prepare``: data on disk, before training needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from partgraph import plugins
from partgraph.cli.output import print_json, print_line
from partgraph.cli.progress import ConsoleWatcher
from partgraph.errors import PartGraphError
from partgraph.learning.dataset import Dataset, Inventory
from partgraph.learning.experiment import read_experiment

_PARTS = ("train", "validation", "test")


class DataError(PartGraphError, ValueError):
    """A folder without data that anybody knows, or a wrong argument of the command."""


def check(
    path: Annotated[Path, Parameter(help="The folder of a data set.")],
    *,
    json: Annotated[bool, Parameter(negative=(), help="Print JSON.")] = False,
) -> None:
    """Say what a folder holds: data set, layout, contents and problems. Nothing is changed."""
    if not path.is_dir():
        raise DataError(f"{path}: no such folder; give the folder of a data set")
    asked, found = [], []
    for name, dataset in _installed():
        asked.append(name)
        inventory = dataset.inspect(path)
        if inventory is not None:
            found.append((name, inventory))
    if not found:
        raise DataError(
            f"{path}: not recognised by any data set installed ({', '.join(asked)}); the layouts that are read are in "
            f"docs/data.md, and the folder to give is the one that holds the annotation"
        )
    if json:
        print_json([_plain(name, inventory) for name, inventory in found])
    else:
        for name, inventory in found:
            _print(name, inventory)


def prepare(
    config: Annotated[Path, Parameter(help="The experiment's TOML file.")],
    *,
    part: Annotated[
        list[str] | None,
        Parameter(negative=(), help="`train`, `validation` or `test`; repeat it. All by default."),
    ] = None,
    workers: Annotated[int | None, Parameter(help="Processes; all cores by default, none with 0.")] = None,
) -> None:
    """Make what an experiment's data sets need before they can be read fast; goes on where it was interrupted."""
    for name in part or ():
        if name not in _PARTS:
            raise DataError(f"--part is {', '.join(f'`{known}`' for known in _PARTS)}; found {name!r}")
    if workers is not None and workers < 0:
        raise DataError(f"--workers must be at least 0; found {workers}")
    experiment = read_experiment(config)
    with ConsoleWatcher() as watcher:
        for name in part or _PARTS:
            dataset = experiment.dataset(name)
            if pending := dataset.pending():
                dataset.prepare(workers, watcher.preparing(f"{name} images", pending))
            print_line(f"{name}: {len(dataset)} samples ready")


def _installed() -> Iterator[tuple[str, type[Dataset]]]:
    """Names and classes of the data sets that can be used here."""
    for entry in plugins.installed("dataset"):
        if entry.missing:
            continue
        target = plugins.get("dataset", entry.name)
        if isinstance(target, type):
            yield entry.component.name, target


def _plain(name: str, inventory: Inventory) -> dict[str, Any]:
    return {
        "dataset": name,
        "layout": inventory.layout,
        "contents": inventory.contents,
        "problems": inventory.problems,
    }


def _print(name: str, inventory: Inventory) -> None:
    print_line(f"{name}: {inventory.layout}")
    for key, value in inventory.contents.items():
        print_line(f"  {key}: {_text(value)}")
    for problem in inventory.problems:
        print_line(f"  problem: {problem}")
    if not inventory.problems:
        print_line("  no problems found")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
