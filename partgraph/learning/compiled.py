"""Networks whose layers torch.compile has turned into code of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from partgraph.errors import PartGraphError
from partgraph.learning.model import Network


class CompileError(PartGraphError, RuntimeError):
    """A network that torch.compile cannot compile here."""


def compiled(network: Network) -> Callable[[Tensor], Any]:
    """Images to the network's outputs, see `Network.compiled`; compiled when first called, and for other shapes anew.

    Raises
    ------
    CompileError
        When called: without a C++ compiler (or Triton, on a GPU), or when the network has what torch.compile cannot do.
    """
    from torch._dynamo.exc import TorchDynamoException

    forward = network.compiled()

    def call(images: Tensor) -> Any:
        try:
            return forward(images)
        except TorchDynamoException as error:
            reason = " ".join(str(error).split())[:200]
            raise CompileError(
                f"{type(network).__name__} cannot be compiled here ({type(error).__name__}: {reason}); it needs a C++ "
                f"compiler, or Triton on a GPU; leave out compile"
            ) from error

    return call
