"""The kit's checks of data sets, models and losses: right ones pass, and each twin that is broken in one way fails."""

import unittest

import attrs
import numpy as np
import pytest
from hypothesis import Phase, settings

torch = pytest.importorskip("torch")

from partgraph import Topology  # noqa: E402
from partgraph.learning.loss import Loss  # noqa: E402
from partgraph.learning.model import Model  # noqa: E402
from partgraph.testing import LossCase, checks_for  # noqa: E402
from partgraph.testing.learning.grid import GridModel, GridNetwork  # noqa: E402


def failed(subject):
    """The names of the checks that a subject fails."""
    names = set()
    for check in checks_for(subject):
        try:
            check(subject)
        except unittest.SkipTest:
            pass
        except Exception:
            names.add(check.__name__.removeprefix("check_"))
    return names


@pytest.fixture(autouse=True)
def quick():
    """Let hypothesis stop at any failing example."""
    before = settings.get_current_profile_name()
    settings.register_profile("twins", max_examples=10, deadline=None, phases=[Phase.generate], database=None)
    settings.load_profile("twins")
    yield
    settings.load_profile(before)


# -- data sets ---------------------------------------------------------------------------------------------------


def changed(**changes):
    """A data set of dots whose samples are changed: functions of (sample, index), by the sample's fields."""

    def make(toy):
        @attrs.frozen(eq=False)
        class Twin(toy.Dots):
            def __getitem__(self, index):
                sample = super().__getitem__(index)
                return attrs.evolve(
                    sample, **{name: change(sample, index) for name, change in changes.items()}
                )

        return Twin(count=12)

    return make


def said(**properties):
    """A data set of dots with other properties or methods."""
    return lambda toy: type("Twin", (toy.Dots,), properties)(count=12)


def exchanged(sample, index):
    """Left and right exchanged, in space only; in depth the object is not flat."""
    return sample.world[[0, 1, 3, 2]]


def solid(toy, harm):
    """A data set whose objects are not flat, with what `harm` makes of the target."""

    @attrs.frozen(eq=False)
    class Twin(toy.Dots):
        def __getitem__(self, index):
            sample = super().__getitem__(index)
            depth = np.array([0, 5, -7, 9], np.float32)
            target = np.column_stack([sample.target[:, :2], depth]).astype(np.float32)
            return attrs.evolve(sample, target=harm(target, self.size), world=target * np.float32(7))

    return Twin(count=12)


GENERATOR = np.random.default_rng(0)

DATASETS = {
    "left stays left": (said(flip=property(lambda self: (0, 1, 2, 3))), "a_mirror_swaps_left_and_right"),
    "flip does not undo itself": (
        said(flip=property(lambda self: (1, 2, 0, 3))),
        "a_mirror_swaps_left_and_right",
    ),
    "flip is no order": (said(flip=property(lambda self: (0, 0, 3, 2))), "a_mirror_swaps_left_and_right"),
    "two parts of one name": (
        said(parts=property(lambda self: ("a", "b", "a", "c"))),
        "names_are_well_formed",
    ),
    "a limb to nowhere": (said(limbs=property(lambda self: (("red", "tail"),))), "names_are_well_formed"),
    "a root that is no part": (said(root=property(lambda self: 4)), "names_are_well_formed"),
    "no groups": (said(groups=property(lambda self: ())), "names_are_well_formed"),
    "always pending": (said(pending=lambda self: 3), "data_are_prepared"),
    "every folder is mine": (
        said(inspect=classmethod(lambda cls, folder: "mine")),
        "other_folders_are_not_recognised",
    ),
    "images are numbers from 0 to 1": (
        changed(image=lambda s, k: (s.image / 255).astype(np.float32)),
        "images_are_square_bytes",
    ),
    "images lost their 255": (
        changed(image=lambda s, k: (s.image / 255).astype(np.uint8)),
        "images_are_square_bytes",
    ),
    "images of two sizes": (
        changed(image=lambda s, k: s.image[: 32 - k % 2, : 32 - k % 2]),
        "images_are_square_bytes",
    ),
    "targets in double precision": (
        changed(target=lambda s, k: s.target.astype(float)),
        "truth_has_its_shape",
    ),
    "a group of its own": (changed(group=lambda s, k: "other"), "truth_has_its_shape"),
    "infinite where unknown": (
        changed(target=lambda s, k: np.where([True, True, False], s.target, np.inf).astype(np.float32)),
        "unknown_is_not_a_number",
    ),
    "half a place": (
        changed(target=lambda s, k: np.where([True, False, True], s.target, np.nan).astype(np.float32)),
        "unknown_is_not_a_number",
    ),
    "seen outside the image": (
        changed(target=lambda s, k: s.target + np.float32([32, 0, 0])),
        "visible_parts_are_in_the_image",
    ),
    "depth of the camera": (
        changed(target=lambda s, k: s.target + np.float32([0, 0, 50])),
        "depth_is_relative_to_the_root",
    ),
    "left and right exchanged in space": (changed(world=exchanged), "target_and_world_agree"),
    "a mirror image of the image": (
        lambda toy: solid(
            toy, lambda target, size: target * np.float32([-1, 1, 1]) + np.float32([size, 0, 0])
        ),
        "target_and_world_agree",
    ),
    "samples from one stream": (
        changed(image=lambda s, k: GENERATOR.integers(0, 255, s.image.shape, np.uint8)),
        "samples_repeat",
    ),
    "no end": (lambda toy: said(__getitem__=lambda self, k: toy.Dots()[k % 12])(toy), "the_end_is_an_error"),
    "splits that are the same": (
        lambda toy: said(__getitem__=lambda self, k: toy.Dots(count=12)[k])(toy),
        "splits_are_disjoint",
    ),
}


def test_right_data_sets_pass(toy):
    assert failed(toy.Dots(count=12)) == set()
    assert failed(toy.Dots(count=3, flat=True, split="test")) == set()
    assert failed(solid(toy, lambda target, size: target)) == set()


@pytest.mark.parametrize("name", DATASETS)
def test_a_broken_data_set_fails_its_check(toy, name):
    make, check = DATASETS[name]
    assert check in failed(make(toy))


# -- models ------------------------------------------------------------------------------------------------------


class OverNoEdges(GridNetwork):
    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        return super().problems(outputs, Topology(graph.parts, []), pairwise_scale=pairwise_scale)


class TurnsEdges(GridNetwork):
    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        turned = Topology(graph.parts, [(j, i) for i, j in graph.edges])
        return super().problems(outputs, turned, pairwise_scale=pairwise_scale)


class OnePictureOnly(GridNetwork):
    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        return super().problems(outputs, graph, pairwise_scale=pairwise_scale)[:1]


class IgnoresTheScale(GridNetwork):
    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        return super().problems(outputs, graph)


class IgnoresWeights(GridNetwork):
    def set_pairwise_weights(self, weights):
        pass


class ForgetsWeights(GridNetwork):
    def set_pairwise_weights(self, weights):
        super().set_pairwise_weights(weights)
        self.factor = 1.5

    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        return super().problems(outputs, graph, pairwise_scale=pairwise_scale * getattr(self, "factor", 1.0))


class WrongSign(GridNetwork):
    def offset_residuals(self, outputs, target):
        return -super().offset_residuals(outputs, target)


class UsesTheBatch(GridNetwork):
    def forward(self, images):
        return super().forward(images - images.mean() + 0.5)


class Rolls(GridNetwork):
    def forward(self, images):
        return super().forward(images + 0.01 * torch.rand_like(images))


class Detached(GridNetwork):
    def forward(self, images):
        outputs = super().forward(images)
        return attrs.evolve(outputs, scores=outputs.scores.detach(), positions=outputs.positions.detach())

    def heads(self):
        return iter([*self.score_head.parameters(), *self.residual_head.parameters()])


class NotANumber(GridNetwork):
    def forward(self, images):
        return super().forward(images / images.amax((1, 2, 3), keepdim=True))  # of a black picture


class ForeignHeads(GridNetwork):
    def heads(self):
        return iter(GridModel().build(self.parts).parameters())


class SortsParts(GridNetwork):
    def __init__(self, parts, *options):
        super().__init__(sorted(parts), *options)


@attrs.frozen
class ModelOf(Model):
    network: type
    fresh: bool = False

    def build(self, parts):
        if self.fresh:
            torch.seed()
        return self.network(parts, 24, 8, 3, 16)


MODELS = {
    OverNoEdges: "problems_are_over_the_graph",
    TurnsEdges: "problems_are_over_the_graph",
    OnePictureOnly: "problems_are_over_the_graph",
    SortsParts: "parts_are_as_asked",
    IgnoresTheScale: "pairwise_weights_take_effect",
    IgnoresWeights: "pairwise_weights_take_effect",
    ForgetsWeights: "everything_is_in_a_checkpoint",
    WrongSign: "offset_residuals_are_true_minus_expected",
    UsesTheBatch: "a_picture_is_judged_by_itself",
    Rolls: "a_picture_is_judged_by_itself",
    Detached: "gradients_reach_the_heads",
    NotANumber: "problems_can_be_solved",
    ForeignHeads: "heads_are_its_own",
}


def test_right_models_pass(toy):
    assert failed(GridModel()) == failed(toy.DotModel()) == set()


@pytest.mark.parametrize("network", MODELS, ids=lambda network: network.__name__)
def test_a_broken_model_fails_its_check(network):
    assert MODELS[network] in failed(ModelOf(network))


def test_weights_that_no_seed_decides_are_found():
    assert "seeds_decide_the_weights" in failed(ModelOf(GridNetwork, fresh=True))


def test_options_that_no_file_can_hold_are_found():
    assert failed(ModelOf(GridNetwork)) == {"options_come_from_a_file"}


# -- losses ------------------------------------------------------------------------------------------------------


def spoilt(harm):
    """The toy's loss, spoilt by a function of (loss, network, outputs, batch)."""

    def make(toy):
        class Twin(toy.DotLoss):
            def __call__(self, network, outputs, batch):
                return harm(super().__call__, network, outputs, batch)

        return LossCase(Twin(), toy.DotModel())

    return make


def times(terms, factor):
    return {name: factor * value for name, value in terms.items()}


def of_the_first_sample(loss, network, outputs, batch):
    first = attrs.evolve(batch, target=batch.target[:1].expand_as(batch.target))
    return loss(network, outputs, first)


def filled_with_zero(loss, network, outputs, batch):
    return loss(network, outputs, attrs.evolve(batch, target=batch.target.nan_to_num()))


def zero_times_unknown(loss, network, outputs, batch):
    """Leaves out what is unknown by multiplying it by zero, which its gradient survives as NaN."""
    square = ((batch.target - network.offsets.mean(0)) * network.offsets.sum()) ** 2
    places = torch.where(batch.target.isfinite(), square, 0.0).mean()
    return {"places": places, **filled_with_zero(loss, network, outputs, batch)}


def writes(loss, network, outputs, batch):
    batch.target.clamp_(max=5)
    return loss(network, outputs, batch)


LOSSES = {
    "no gradient": (
        spoilt(lambda loss, *given: {"all": sum(loss(*given).values()).detach()}),
        "gradients_reach_every_parameter",
    ),
    "a part without gradient": (
        spoilt(lambda loss, *given: {"cells": loss(*given)["cells"]}),
        "gradients_reach_every_parameter",
    ),
    "a gradient of zero": (
        spoilt(lambda loss, *given: {**loss(*given), "offsets": 0 * loss(*given)["offsets"]}),
        "gradients_reach_every_parameter",
    ),
    "wrong sign": (spoilt(lambda loss, *given: times(loss(*given), -1)), "answers_become_better"),
    "a number": (spoilt(lambda loss, *given: sum(loss(*given).values())), "terms_are_finite_numbers"),
    "one for each sample": (
        spoilt(lambda loss, network, outputs, batch: {"scores": outputs.scores.mean((1, 2))}),
        "terms_are_finite_numbers",
    ),
    "not finite": (
        spoilt(lambda loss, *given: times(loss(*given), float("inf"))),
        "terms_are_finite_numbers",
    ),
    "of the first sample": (spoilt(of_the_first_sample), "the_order_of_samples_does_not_matter"),
    "rolls dice": (
        spoilt(lambda loss, *given: times(loss(*given), torch.rand(()))),
        "repeated_answers_are_equal",
    ),
    "writes to the truth": (spoilt(writes), "the_batch_is_untouched"),
    "unknown is zero": (spoilt(filled_with_zero), "unknown_is_never_taken_for_zero"),
    "zero times unknown": (spoilt(zero_times_unknown), "unknown_is_never_taken_for_zero"),
}


def test_right_losses_pass(toy):
    assert failed(LossCase(toy.DotLoss(), toy.DotModel())) == set()


def test_a_loss_alone_is_checked_with_the_kits_own_network():
    @attrs.frozen
    class Nearest(Loss):
        factor: float = 1.0

        def __call__(self, network, outputs, batch):
            distance = (outputs.positions - batch.target[:, :, None]).norm(dim=-1)
            likely = outputs.scores.softmax(-1)
            graph = Topology(network.parts, [(i, j) for i in range(4) for j in range(4) if i != j])
            labels = np.zeros(4, dtype=np.intp)
            scores = [problem.score(labels) for problem in network.problems(outputs, graph)]
            return {
                "distance": self.factor * (likely * distance).sum(-1).mean(),
                "scores": 1e-3 * torch.stack(scores).mean(),
            }

    assert failed(Nearest()) <= {
        "gradients_reach_every_parameter"
    }  # a pair of a part with itself has no term


@pytest.mark.parametrize("name", LOSSES)
def test_a_broken_loss_fails_its_check(toy, name):
    make, check = LOSSES[name]
    assert check in failed(make(toy))


def test_a_loss_that_rejects_its_network_is_found(toy):
    class Picky(toy.DotLoss):
        def check(self, parts):
            raise ValueError("never")

    assert "parts_are_accepted" in failed(LossCase(Picky(), toy.DotModel()))
