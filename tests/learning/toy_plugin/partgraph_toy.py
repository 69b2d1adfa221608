"""A third-party plugin: coloured dots in a picture, found by a network of one convolution.

Its own data set, model, loss, graphs and experiment, none of which knows anything of people.
"""

import itertools
from pathlib import Path
from typing import Literal

import attrs
import networkx as nx
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from partgraph.learning.dataset import Dataset, Sample
from partgraph.learning.loss import Loss
from partgraph.learning.model import Model, Network
from partgraph.plugins import Component, hookimpl
from partgraph.potentials import Quadratic
from partgraph.problem import Candidates, Problem
from partgraph.reference import DynamicProgramming
from partgraph.solver import Solution, Solver, Status

PARTS = ("red", "green", "left-blue", "right-blue")
COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [120, 120, 255]], np.uint8)
MM_PER_PX = 7.0


@attrs.frozen(eq=False)
class Dots(Dataset):
    """Four dots on a grid of cells, the second sometimes hidden; the group says whether they spread in x or in y.

    Flat dots have no depth, as in a 2D data set.
    """

    split: Literal["train", "validation", "test"] = "train"
    count: int = 40
    size: int = 32
    seed: int = 0
    cell: int = 4
    flat: bool = False

    @property
    def parts(self):
        return PARTS

    @property
    def limbs(self):
        return (("red", "green"), ("red", "left-blue"), ("red", "right-blue"))

    @property
    def flip(self):
        return (0, 1, 3, 2)

    @property
    def root(self):
        return 0

    @property
    def groups(self):
        return ("wide", "tall")

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        random = np.random.default_rng([self.seed, ("train", "validation", "test").index(self.split), index])
        cells = self.size // self.cell
        group = index % 2
        spread = np.array([cells, max(2, cells // 2)][:: 1 - 2 * group])
        while True:
            at = (random.random((4, 2)) * spread).astype(int)
            if len(set(map(tuple, at))) == 4:
                break
        visible = np.array([True, random.random() > 0.2, True, True])
        image = np.full((self.size, self.size, 3), 20, np.uint8)
        for (x, y), colour, shown in zip(at * self.cell, COLOURS, visible, strict=True):
            if shown:
                image[y : y + self.cell, x : x + self.cell] = colour
        target = np.zeros((4, 3), np.float32)
        target[:, :2] = (at + 0.5) * self.cell
        world = target * MM_PER_PX
        if self.flat:
            target[:, 2] = world[:] = np.nan
        return Sample(image, target, world, visible, self.groups[group])


@attrs.frozen
class Outputs:
    scores: torch.Tensor  # (B, N, c * c)


class DotNetwork(Network):
    def __init__(self, parts, size, cell):
        super().__init__()
        self.parts, self.input_size, self.cell = tuple(parts), size, cell
        self.scores = nn.Conv2d(3, len(parts), cell, cell)
        self.offsets = nn.Parameter(torch.zeros(len(parts), len(parts), 3))
        self.register_buffer("weights", torch.ones(len(parts), len(parts), 3))

    def forward(self, images):
        return Outputs(self.scores(images).flatten(2).float())

    def centers(self):
        along = (torch.arange(self.input_size // self.cell) + 0.5) * self.cell
        y, x = torch.meshgrid(along, along, indexing="ij")
        return torch.stack([x, y, torch.zeros_like(x)], -1).view(-1, 3)

    def problems(self, outputs, graph, *, pairwise_scale=1.0):
        terms = [Quadratic(self.weights[i, j] * pairwise_scale, self.offsets[i, j]) for i, j in graph.edges]
        centers = self.centers()
        return [
            Problem(graph, [Candidates(centers, own) for own in scores], terms) for scores in outputs.scores
        ]

    def offset_residuals(self, outputs, target):
        return target[:, None] - target[:, :, None] - self.offsets

    def set_pairwise_weights(self, weights):
        self.weights.copy_(weights)


@attrs.frozen
class DotModel(Model):
    size: int = 32
    cell: int = 4

    def build(self, parts):
        if self.size % self.cell:
            raise ValueError(f"{self.size} px do not divide into cells of {self.cell} px")
        return DotNetwork(parts, self.size, self.cell)


@attrs.frozen
class DotLoss(Loss):
    factor: float = 1.0

    def __call__(self, network, outputs, batch):
        cells = network.input_size // network.cell
        at = (batch.target[..., :2] / network.cell).long().clamp(0, cells - 1)
        truth = at[..., 1] * cells + at[..., 0]
        return {
            "cells": self.factor * functional.cross_entropy(outputs.scores.transpose(1, 2), truth),
            "offsets": 0.01 * network.offset_residuals(outputs, batch.target).abs().mean(),
        }


class PlainLoss(Loss):
    """A loss without options, registered as an instance."""

    def __call__(self, network, outputs, batch):
        return DotLoss()(network, outputs, batch)


PLAIN = PlainLoss()


@attrs.frozen
class Greedy(Solver):
    """Every part's own best candidate: one configuration, and no proof."""

    exact = False

    def supports(self, problem):
        return None

    def compute(self, problem, state, n_best):
        best = [problem.unary_scores(part) for part in range(len(problem.graph.parts))]
        labels = np.array([[own.argmax() for own in best]])
        # Quadratic terms are never positive, so the unary scores alone are a bound.
        return Solution(labels, problem.score(labels), sum(own.max() for own in best), Status.CONVERGED)


@attrs.frozen
class Together(Solver):
    """Dynamic programming that must be asked for several problems at once."""

    exact = True
    batch_size = 4

    def supports(self, problem):
        return DynamicProgramming().supports(problem)

    def compute(self, problem, state, n_best):
        raise AssertionError("asked for one problem")

    def compute_many(self, problems, n_best):
        assert len(problems) <= self.batch_size
        return [DynamicProgramming().compute(problem, None, n_best) for problem in problems]


def alone():
    graph = nx.DiGraph()
    graph.add_nodes_from(PARTS)
    return graph


def star():
    graph = alone()
    graph.add_edges_from((PARTS[0], part) for part in PARTS[1:])
    return graph


def chain():
    graph = alone()
    graph.add_edges_from(itertools.pairwise(PARTS))
    return graph


def fewer():
    return nx.path_graph(["red", "green"])


def nowhere():
    return Path("no-such-folder-of-weights")


@hookimpl
def partgraph_datasets():
    yield Component("dots", "partgraph_toy:Dots", "coloured dots")


@hookimpl
def partgraph_models():
    yield Component("dot-network", "partgraph_toy:DotModel", "one convolution")


@hookimpl
def partgraph_losses():
    yield Component("dot-loss", "partgraph_toy:DotLoss", "cross-entropy")
    yield Component("plain-loss", "partgraph_toy:PLAIN", "an instance, not a class")
    yield Component("bare-loss", "partgraph_toy:PlainLoss", "a class without options")


@hookimpl
def partgraph_graphs():
    yield Component("dots-alone", "partgraph_toy:alone", "no edges")
    yield Component("dots-star", "partgraph_toy:star", "a star")
    yield Component("dots-chain", "partgraph_toy:chain", "a chain")
    yield Component("two-dots", "partgraph_toy:fewer", "of other parts")


@hookimpl
def partgraph_solvers():
    yield Component("greedy", "partgraph_toy:Greedy", "no coupling")
    yield Component("together", "partgraph_toy:Together", "several problems at once")


@hookimpl
def partgraph_experiments():
    yield Component("not-shipped", "partgraph_toy:nowhere", "weights that are not there")
