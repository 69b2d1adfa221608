"""From the plain values of a TOML or JSON file to attrs classes, strictly.

A key that nobody asked for is an error that names it, and so is a value of another type: nothing is converted but whole
numbers to numbers. A class with a class method ``from_table`` reads its own table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from partgraph.errors import PartGraphError


class ExperimentError(PartGraphError, ValueError):
    """A configuration that cannot be read; the message names the file, the key and what to do."""


def structure(cls: type, values: Mapping[str, Any], source: str) -> Any:
    """An attrs class from plain values: every unknown key and every value of another type is an error.

    Raises
    ------
    ExperimentError
        With everything that is wrong, each with `source` and the key it is at.
    """
    try:
        return _converter().structure(values, cls)
    except ClassValidationError as error:
        reasons = cattrs.transform_error(error, path="", format_exception=_reason)
        places = (reason.rpartition(" @ ")[::-2] for reason in reasons)
        lines = (f"{source}: {key.lstrip('.')}: {why}" if key else f"{source}: {why}" for key, why in places)
        raise ExperimentError("; ".join(lines)) from None
    except ValueError as error:
        raise ExperimentError(f"{source}: {error}") from None


def _reason(error: BaseException, _: type | None) -> str:
    """What is wrong at one key, as a user would say it."""
    if isinstance(error, ForbiddenExtraKeysError):
        unknown = ", ".join(sorted(error.extra_fields))
        return (
            f"no such key: {unknown}; there are {', '.join(field.name for field in attrs.fields(error.cl))}"
        )
    if isinstance(error, KeyError):
        return "is missing"
    if isinstance(error, AttributeError):  # what is no table has no items
        return "a table was asked for"
    return str(error.args[0] if error.args else error)  # attrs adds the field itself as further arguments


@functools.cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind, what in ((bool, "true or false"), (int, "a whole number"), (float, "a number"), (str, "text")):
        converter.register_structure_hook(kind, functools.partial(_plain, what))
    converter.register_structure_hook(Path, lambda value, _: Path(_plain("a path", value, str)))
    converter.register_structure_hook_factory(attrs.has, functools.partial(_table, converter))
    converter.register_structure_hook_func(
        lambda cls: hasattr(cls, "from_table"), lambda value, cls: cls.from_table(value)
    )
    converter.register_structure_hook_func(
        lambda cls: get_origin(cls) is tuple, functools.partial(_list, converter)
    )
    converter.register_structure_hook_func(lambda cls: get_origin(cls) is Literal, _literal)
    return converter


def _plain(what: str, value: Any, cls: type) -> Any:
    """A value of exactly this type; a whole number is a number too, but nothing else is converted."""
    if cls is float and type(value) is int:
        return float(value)
    if type(value) is not cls:
        raise ValueError(f"{what} was asked for; found {value!r}")
    return value


def _literal(value: Any, cls: Any) -> Any:
    if value not in get_args(cls):
        raise ValueError(f"one of {', '.join(map(repr, get_args(cls)))} was asked for; found {value!r}")
    return value


def _list(converter: cattrs.Converter, value: Any, cls: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"a list was asked for; found {value!r}")
    kinds = get_args(cls)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise ValueError(f"a list of {len(kinds)} was asked for; found {len(value)}: {value!r}")
    return tuple(converter.structure(item, kind) for item, kind in zip(value, kinds, strict=True))


def _table(converter: cattrs.Converter, cls: Any) -> Callable[[Any, Any], Any]:
    """Structures an attrs class from a table and from nothing else."""
    fields = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True)

    def table(value: Any, cls: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"a table was asked for; found {value!r}")
        return fields(value, cls)

    return table
