"""An experiment as a file: which data, model, loss and graphs, by registered name, with their options.

The file is TOML and strict: a key that nobody asked for is an error that names it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

import attrs
from attrs.validators import ge, in_

from partgraph import plugins
from partgraph.graph_files import SUFFIX
from partgraph.learning.augment import Augmentation
from partgraph.learning.dataset import Dataset
from partgraph.learning.loss import Loss
from partgraph.learning.model import Model, Network
from partgraph.learning.stage import Stage, Training
from partgraph.learning.strict import ExperimentError, structure


@final
@attrs.frozen
class Choice:
    """A registered component and its options: ``{name = "...", option = value, ...}`` in the file.

    Attributes
    ----------
    name : as in ``partgraph plugins``
    options : fields of the component's options class
    """

    name: str
    options: Mapping[str, Any] = attrs.field(factory=dict)

    @classmethod
    def from_table(cls, value: Any) -> Choice:
        """From a table with a name; whatever else it has are options."""
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            raise ValueError(f"a table with a name was asked for; found {value!r}")
        return cls(value["name"], {key: option for key, option in value.items() if key != "name"})

    def build(self, kind: str) -> Any:
        """The component's options record; a component that is no attrs class has no options."""
        target = plugins.get(kind, self.name)
        if isinstance(target, type) and attrs.has(target):
            return structure(target, self.options, f"{kind} {self.name!r}")
        if self.options:
            raise ExperimentError(f"{kind} {self.name!r} has no options; leave out {', '.join(self.options)}")
        return target() if isinstance(target, type) else target


@final
@attrs.frozen
class Data:
    """The three parts of the data, each a data set by name."""

    train: Choice
    validation: Choice
    test: Choice


@final
@attrs.frozen
class Structured:
    """A second stage of training, through the search (the paper's section 2.5), after c is calibrated.

    Attributes
    ----------
    loss : one that solves problems, as `structured-hinge` does
    training : as of the first stage; rates that train fresh weights are far too high here
    data : what it is trained on; the first stage's data when None
    augmentation : how these vary; as in the first stage when None
    parameters : "heads" trains the network's last layers alone, "all" everything
    pairwise_rate : factor on the learning rate of c
    supervision : factor on the first stage's loss, which is kept beside this one; 0 leaves it out
    """

    loss: Choice
    training: Training = attrs.field()
    data: Choice | None = None
    augmentation: Augmentation | None = None
    pairwise_rate: float = attrs.field(default=1.0, validator=ge(0))
    parameters: Literal["heads", "all"] = attrs.field(default="heads", validator=in_(("heads", "all")))
    supervision: float = attrs.field(default=0.0, validator=ge(0))

    @training.validator
    def _has_steps(self, _: object, training: Training) -> None:
        if not training.total:
            raise ValueError(
                "the structured stage's 'steps' must be > 0: 0; without the stage, leave its table out"
            )


@final
@attrs.frozen
class Evaluation:
    """What is evaluated.

    Attributes
    ----------
    graphs : topologies by name or graph file (.json, see `partgraph.learning.graph_names`), one column of the table
        each; the first is what the others are compared with
    pairwise_scale : for each of them, the factor on the calibrated weights c; 1 where none is given
    solver : by name; the default policy when None
    mirror : average the scores with those for the image mirrored left to right, for twice the network's time
    """

    graphs: tuple[str, ...] = ()
    pairwise_scale: Mapping[str, float] = attrs.field(factory=dict)
    solver: str | None = None
    mirror: bool = False


@final
@attrs.frozen
class Experiment:
    """Everything that decides a trained network.

    Attributes
    ----------
    name : what it is called
    data, model, loss, augmentation, training, structured, evaluation : see their classes; without `structured` there is
        one stage of training
    start : a trained network whose weights training starts from, as far as they fit: a folder that `partgraph train`
        wrote, or the name of an installed experiment; see `partgraph.learning.start`
    seed : of weights, order and augmentation
    """

    name: str
    data: Data
    model: Choice
    loss: Choice
    augmentation: Augmentation = attrs.Factory(Augmentation)
    training: Training = attrs.Factory(Training)
    structured: Structured | None = None
    evaluation: Evaluation = attrs.Factory(Evaluation)
    start: str | None = None
    seed: int = 0

    def dataset(self, part: str) -> Dataset:
        """The data set of "train", "validation" or "test", or "structured", where the second stage has its own."""
        own = None if self.structured is None else self.structured.data
        choice = (own or self.data.train) if part == "structured" else getattr(self.data, part)
        built = choice.build("dataset")
        assert isinstance(built, Dataset)
        return built

    def build_model(self) -> Model:
        """The options of the model."""
        built = self.model.build("model")
        assert isinstance(built, Model)
        return built

    def build_network(self, parts: Sequence[str], *, initialize: bool = False) -> Network:
        """A network with fresh weights, or with those that its model starts from.

        Options that do not go together are an `ExperimentError`.
        """
        model = self.build_model()
        try:
            network = model.build(parts)
            if initialize:
                model.initialize(network)
        except ValueError as error:
            raise ExperimentError(f"model {self.model.name!r}: {error}") from None
        return network

    def build_loss(self) -> Loss:
        """The loss of the first stage."""
        return self.loss.build("loss")

    def stages(self) -> tuple[Stage, ...]:
        """The stages of training, one after the other."""
        loss = self.build_loss()
        first = Stage("training", ((1.0, loss),), self.training, augmentation=self.augmentation)
        second = self.structured
        if second is None:
            return (first,)
        kept = ((second.supervision, loss),) if second.supervision else ()
        return first, Stage(
            "structured",
            losses=((1.0, second.loss.build("loss")), *kept),
            training=second.training,
            parameters=second.parameters,
            augmentation=second.augmentation or self.augmentation,
            pairwise_rate=second.pairwise_rate,
            tuning=True,
        )

    def with_graph_files(self, rename: Callable[[str], str]) -> Experiment:
        """The experiment with another name for each graph file, wherever one is named."""

        def of(graph: str) -> str:
            return rename(graph) if graph.endswith(SUFFIX) else graph

        def over(loss: Choice) -> Choice:
            graph = loss.options.get("graph")  # so called wherever a loss solves problems, see `Loss.graph`
            return (
                attrs.evolve(loss, options={**loss.options, "graph": of(graph)})
                if isinstance(graph, str)
                else loss
            )

        structured, evaluation = self.structured, self.evaluation
        return attrs.evolve(
            self,
            loss=over(self.loss),
            structured=structured and attrs.evolve(structured, loss=over(structured.loss)),
            evaluation=attrs.evolve(
                evaluation,
                graphs=tuple(map(of, evaluation.graphs)),
                pairwise_scale={of(graph): scale for graph, scale in evaluation.pairwise_scale.items()},
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_mapping` reads back."""
        values: dict[str, Any] = {
            "name": self.name,
            "seed": self.seed,
            "data": {part: _flat(getattr(self.data, part)) for part in ("train", "validation", "test")},
            "model": _flat(self.model),
            "loss": _flat(self.loss),
            "augmentation": attrs.asdict(self.augmentation),
            "training": attrs.asdict(self.training),
            "evaluation": attrs.asdict(self.evaluation),
        }
        if self.start is not None:
            values["start"] = self.start
        if self.structured is not None:
            values["structured"] = _table_of(self.structured)
        return values


def from_mapping(values: Mapping[str, Any], source: str) -> Experiment:
    """An experiment from the values of a file; `source` stands in messages."""
    built = structure(Experiment, values, source)
    assert isinstance(built, Experiment)
    return built


def read_experiment(path: Path) -> Experiment:
    """The experiment in a TOML file; graph files that it names are found in its folder.

    Raises
    ------
    ExperimentError
        When the file is missing, is no TOML, has unknown or missing keys, or values of a wrong type.
    """
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExperimentError(f"{path}: no such file; give the path of an experiment's TOML file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExperimentError(f"{path}: not a TOML file: {error}") from None
    return from_mapping(values, str(path)).with_graph_files(lambda graph: str(Path(path).parent / graph))


def _table_of(structured: Structured) -> dict[str, Any]:
    """The table as the file has it, where what is None is left out."""
    values = {name: value for name, value in attrs.asdict(structured).items() if value is not None}
    values["loss"] = _flat(structured.loss)
    return values if structured.data is None else values | {"data": _flat(structured.data)}


def _flat(choice: Choice) -> dict[str, Any]:
    return {"name": choice.name, **choice.options}
