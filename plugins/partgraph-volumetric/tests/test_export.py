"""What an ONNX file says in onnxruntime is what the network says in torch."""

import pytest
import torch
from partgraph_volumetric.network import VolumetricResNet

from partgraph.graph import Topology
from partgraph.learning import export as module
from partgraph.learning.export import ExportError, export_onnx

PARTS = ("a", "b", "c")


def network(**options):
    torch.manual_seed(0)
    options = {"size": 64, "stride": 8, "bins": 4, "widths": (4, 6, 6, 8), "features": 8} | options
    return VolumetricResNet(**options).build(PARTS).eval()


def test_layers_are_the_outputs_of_all_heads():
    own = network(residual_origin="lower-edge")
    layers, names = own.layers()
    images = torch.rand(2, 3, 64, 64)
    said = dict(zip(names, layers(images), strict=True))
    outputs = own(images)
    assert torch.equal(said["scores"], outputs.voxels)
    assert torch.equal(said["residuals"], own.residuals(outputs.features))
    assert torch.equal(said["maps"], outputs.maps)
    for i, j in Topology(PARTS, [(0, 2), (2, 1)]).edges:
        torch.testing.assert_close(said["offsets"][:, i, j], own.offsets(outputs.features, [(i, j)])[:, 0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the exporter, about itself
def test_onnxruntime_says_the_same(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    own = network()
    names = export_onnx(own, tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert tuple(output.name for output in session.get_outputs()) == names
    for count in (1, 3):
        images = torch.rand(count, 3, 64, 64)
        with torch.inference_mode():
            expected = own.layers()[0](images)
        for name, one, other in zip(
            names, session.run(None, {"images": images.numpy()}), expected, strict=True
        ):
            torch.testing.assert_close(torch.from_numpy(one), other, rtol=1e-4, atol=1e-4, msg=name)


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    own = network()
    monkeypatch.setattr(type(own), "layers", lambda self: None)
    with pytest.raises(ExportError, match="VolumetricNetwork does not say"):
        export_onnx(own, tmp_path / "model.onnx")
    monkeypatch.setattr(module, "_NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(ExportError, match=r"need no_such_package; .*'partgraph\[export\]'"):
        export_onnx(own, tmp_path / "model.onnx")
