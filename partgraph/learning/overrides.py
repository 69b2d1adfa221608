"""Settings that change an experiment for one run: ``data.test.count=1500``, ``model.residuals=false``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

from partgraph.learning.experiment import Experiment, from_mapping
from partgraph.learning.strict import ExperimentError


def override(experiment: Experiment, settings: Iterable[str]) -> Experiment:
    """The experiment with some of its keys set.

    Parameters
    ----------
    settings : each ``key=value``: the key as in the experiment's file, its tables joined by dots; the value as in
        TOML, where plain words may lack their quotation marks

    Raises
    ------
    ExperimentError
        When a setting is none, or the experiment has no such key, or no such value for it.
    """
    settings = tuple(settings)
    values = experiment.to_json()
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not key.strip() or not equals:
            raise ExperimentError(f"a setting is KEY=VALUE, as in data.test.count=1500; found {setting!r}")
        _put(values, key.strip(), _value(text.strip()))
    return from_mapping(values, "settings") if settings else experiment


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *tables, last = key.split(".")
    for depth, table in enumerate(tables):
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise ExperimentError(f"setting {key}: {'.'.join(tables[: depth + 1])} is no table")
    values[last] = value


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
