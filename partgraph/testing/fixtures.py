"""Fixtures for tests of plugins; enable them with ``pytest_plugins = ["partgraph.testing.fixtures"]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace

import pytest

from partgraph.hookspecs import hookimpl
from partgraph.plugins import Component, Plugins


@pytest.fixture
def plugins() -> Plugins:
    """Plugins with the built-in ones only, apart from those of the process."""
    return Plugins(discover=False)


@pytest.fixture
def temporary_plugin(plugins: Plugins) -> Callable[..., None]:
    """Register a plugin for one test: ``temporary_plugin("lab", solvers=[Component(...)])``."""

    def register(name: str, distribution: str = "", **registries: Iterable[Component]) -> None:
        def hook(kind: str, components: Iterable[Component]) -> Callable[[], Iterable[Component]]:
            def implementation() -> Iterable[Component]:
                return components

            implementation.__name__ = f"partgraph_{kind}"
            return hookimpl(implementation)

        functions = {f"partgraph_{kind}": hook(kind, items) for kind, items in registries.items()}
        plugins.register(SimpleNamespace(**functions), name, distribution)

    return register
