"""What the options of every data set, model and loss must do: come from an experiment's file, and go back into one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from partgraph.testing.skipping import needs


def check_options_come_from_a_file(subject: object) -> None:
    """The options are plain values, as in an experiment's file, from which the same options are read again."""
    needs("cattrs", "torch")
    from partgraph.learning.strict import structure

    cls = type(subject)
    if not attrs.has(cls):
        return  # no options
    values = json.loads(json.dumps(plain_options(subject)))
    again = structure(cls, values, cls.__name__)
    assert plain_options(again) == plain_options(subject), (
        f"the options {values} were read as {plain_options(again)}; an experiment's file would say something else"
    )


def plain_options(subject: Any) -> dict[str, Any]:
    """Return the fields of an attrs class as an experiment's file has them; those that are None are left out."""
    fields = {
        field.alias or field.name: getattr(subject, field.name)
        for field in attrs.fields(type(subject))
        if field.init
    }
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    from partgraph.learning.experiment import Choice

    if isinstance(value, Choice):
        return {"name": value.name, **value.options}
    if attrs.has(type(value)):
        return plain_options(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value
