"""Where training starts: fresh weights, those the model brings itself, or those of a network trained before."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from partgraph.learning.checkpoint import load_trained, trained_folder
from partgraph.learning.experiment import Experiment
from partgraph.learning.model import Network
from partgraph.learning.strict import ExperimentError


def initial_network(experiment: Experiment, parts: Sequence[str]) -> Network:
    """The network that training begins with.

    Where the experiment names a trained network as its `start`, tensors of its that have their counterpart, of the same
    name and shape, are taken over; what is new stays fresh. Between other parts the last layers stay fresh, too: they
    speak of other things even where their shapes agree.

    Raises
    ------
    ExperimentError
        When options do not go together, there is no such network, or it has nothing in common with the new one.
    """
    network = experiment.build_network(parts, initialize=True)
    if experiment.start is not None:
        _take_over(network, load_trained(trained_folder(experiment.start)).network, experiment)
    return network


@torch.no_grad()
def _take_over(network: Network, start: Network, experiment: Experiment) -> None:
    left_out = _heads(start) if start.parts != network.parts else frozenset()
    known = {name: tensor for name, tensor in start.state_dict().items() if name not in left_out}
    own = network.state_dict()
    parameters = {name for name, _ in network.named_parameters()}
    fitting = [name for name, tensor in own.items() if name in known and known[name].shape == tensor.shape]
    if parameters.isdisjoint(fitting):
        raise ExperimentError(
            f"start = {experiment.start!r}: no tensor of that network fits the model {experiment.model.name!r}; start "
            f"from a network of the same model, or leave out start"
        )
    for name in fitting:
        own[name].copy_(known[name])


def _heads(network: Network) -> frozenset[str]:
    """The names of the last layers' parameters."""
    heads = {id(parameter) for parameter in network.heads()}
    return frozenset(name for name, parameter in network.named_parameters() if id(parameter) in heads)
