"""``partgraph export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from partgraph.cli.models import Model, UsageError, load_model, make_folder
from partgraph.cli.output import print_line
from partgraph.learning.export import export_onnx


def export(model: Model, *, out: Annotated[Path, Parameter(help="The ONNX file.")]) -> None:
    """Write the network of a trained model as an ONNX file."""
    if out.suffix != ".onnx":
        raise UsageError(f"--out names an ONNX file, as in model.onnx; found {out}")
    trained = load_model(model)
    make_folder(out.parent)
    names = export_onnx(trained.network, out)
    print_line(f"{out}: {', '.join(names)}")
