"""The conformance checks of PartGraph, and what is special about this data set."""

import numpy as np
import partgraph
from partgraph.testing import parametrize_with_checks

from partgraph_template_name.template_name import TemplateName, examples

NAME = "template-name:template-name"


@parametrize_with_checks(examples())
def test_conformance(subject, check):
    check(subject)


def test_it_is_found_by_name():
    assert partgraph.plugins.get("dataset", NAME) is TemplateName


def test_parts_have_their_colors():
    for sample in TemplateName(count=20):
        nearest = sample.target[:, 2].argmin()
        x, y = sample.target[nearest, :2].astype(int)
        color = sample.image[y, x].astype(int)
        assert np.abs(color - [200, 225, 245]).max() > 30  # no sky


def test_both_groups_are_met():
    assert {sample.group for sample in TemplateName(count=30)} == {"up", "down"}
