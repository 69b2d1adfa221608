"""Small instances for the conformance checks."""

from __future__ import annotations

from partgraph_dogpose.synthetic import SyntheticDog


def synthetic_dog() -> list[SyntheticDog]:
    """A few small pictures of two splits."""
    return [SyntheticDog(count=6, size=32), SyntheticDog(split="test", count=6, size=32)]
