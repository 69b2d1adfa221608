"""The conformance checks of PartGraph, and what is special about this model."""

import partgraph
import pytest
import torch
from partgraph.testing import parametrize_with_checks

from partgraph_template_name.template_name import TemplateName

NAME = "template-name:template-name"


@parametrize_with_checks([TemplateName(), TemplateName(size=24, cell=4, bins=1)])
def test_conformance(subject, check):
    check(subject)


def test_it_is_found_by_name():
    assert partgraph.plugins.get("model", NAME) is TemplateName


def test_candidates_stay_in_their_voxels():
    network = TemplateName(size=32, cell=8, bins=2).build(["head", "tail"])
    outputs = network(torch.rand(3, 3, 32, 32))
    assert outputs.positions.shape == (3, 2, 2 * 4 * 4, 3)
    assert (outputs.positions - network.centers).abs().max() <= 4


def test_cells_divide_the_picture():
    with pytest.raises(ValueError, match="30 px do not divide into cells of 8 px"):
        TemplateName(size=30).build(["head"])
