"""Networks that torch.compile has compiled: the same training, and one clear error."""

import json

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from partgraph.cli import main  # noqa: E402
from partgraph.errors import PartGraphError  # noqa: E402
from partgraph.learning.compiled import CompileError, compiled  # noqa: E402
from partgraph.learning.fit import fit  # noqa: E402


def broken(graph, inputs):
    raise RuntimeError("no compiler\nhere")


@pytest.fixture
def by(toy, monkeypatch):
    """Lets the toy compile its scores by a backend, which is told of every call."""
    calls = []

    def by(backend):
        def compiled(self):
            scores = torch.compile(lambda images: self.scores(images).flatten(2).float(), backend=backend)

            def forward(images):
                calls.append((images.shape, self.training))
                return toy.Outputs(scores(images))

            return forward

        monkeypatch.setattr(toy.DotNetwork, "compiled", compiled)
        torch._dynamo.reset()
        return calls

    return by


def with_compile(experiment, **options):
    return attrs.evolve(experiment, training=attrs.evolve(experiment.training, compile=True, **options))


def test_compiled_training_is_that_of_the_network_as_it_is(tmp_path, experiment, by):
    """Every batch, and no validation, goes through what was compiled; the weights are the network's own."""
    calls = by("aot_eager")
    data = experiment.dataset("train")
    plain = attrs.evolve(experiment, training=attrs.evolve(experiment.training, steps=12, validate=6))
    one = fit(plain, data, tmp_path / "plain")
    assert not calls
    other = fit(with_compile(plain), data, tmp_path / "compiled")
    assert calls == [(torch.Size([8, 3, 32, 32]), True)] * 12
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, rtol=1e-5, atol=1e-6, msg=name)


def test_what_cannot_be_compiled_is_one_clear_error(experiment, by):
    by(broken)
    data = experiment.dataset("train")
    network = experiment.build_network(data.parts)
    forward = compiled(network)
    with pytest.raises(
        CompileError, match=r"DotNetwork cannot be compiled here .*no compiler here"
    ) as caught:
        forward(torch.rand(2, 3, 32, 32))
    assert "leave out compile" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, PartGraphError)


def test_evaluation_by_the_command_line(toy, folder_of_trained, by, capsys):
    calls = by("aot_eager")
    found = []
    for further in ([], ["--compile"]):
        with pytest.raises(SystemExit) as exit_:
            main(["evaluate", str(folder_of_trained), "--count", "5", "--json", *further])
        assert exit_.value.code == 0
        found.append(json.loads(capsys.readouterr().out)["reconstruction_error_mm"])
        assert len(calls) == len(further)
    assert found[1] == pytest.approx(found[0], rel=1e-4)
