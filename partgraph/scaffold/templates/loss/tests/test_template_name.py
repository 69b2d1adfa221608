"""The conformance checks of PartGraph, and what is special about this loss."""

import partgraph
import torch
from partgraph.learning.model import Batch
from partgraph.testing import parametrize_with_checks

from partgraph_template_name.template_name import TemplateName, examples

NAME = "template-name:template-name"


@parametrize_with_checks(examples())
def test_conformance(subject, check):
    check(subject)


def test_it_is_found_by_name():
    assert partgraph.plugins.get("loss", NAME) is TemplateName


def test_it_is_the_distance_of_what_is_certain():
    (case,) = examples()
    network = case.network()
    batch = Batch(torch.rand(2, 3, 24, 24), torch.full((2, 4, 3), 5.0), torch.ones(2, 4, dtype=torch.bool))
    outputs = network(batch.images)
    outputs.scores.data[..., 1:] -= 1000  # the first candidate, for certain
    expected = (outputs.positions[:, :, 0] - batch.target).norm(dim=-1).mean()
    loss = TemplateName(weight=2.0)
    torch.testing.assert_close(loss(network, outputs, batch)["distance"], 2 * expected)


def test_nothing_known_is_no_loss():
    (case,) = examples()
    network = case.network()
    unknown = torch.full((1, 4, 3), float("nan"))
    batch = Batch(torch.rand(1, 3, 24, 24), unknown, torch.zeros(1, 4, dtype=torch.bool))
    assert case.total(network, batch).item() == 0
