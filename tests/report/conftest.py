"""A small report of an object that is no human."""

import attrs
import numpy as np
import pytest

from partgraph.report import Case, Cell, Column, Fact, Group, Pose, Report, Row, Skeleton, Table

BIRD = Skeleton(
    parts=("head", "breast", "left wing", "right wing", "tail"),
    limbs=((0, 1), (1, 2), (1, 3), (1, 4)),
    sides=("center", "center", "left", "right", "center"),
)
TRUTH = np.array([[50, 20, 0], [50, 45, 0], [15, 40, 12], [85, 42, -12], [50, 80, 5]], dtype=float)
TABLE = Table(
    "Errors",
    (Column("sparrow"), Column("wren", "ms", 2)),
    (
        Row("alone", (87.4, Cell(-1234.5, uncertainty=0.25))),
        Row("together", (31.6, None), emphasis=True, note="ours"),
    ),
    unit="mm",
)


@pytest.fixture
def bird():
    return BIRD


@pytest.fixture
def make_case():
    """A function that makes a case of a bird with two poses and the truth."""

    def make(title="a bird", dimensions=3, seed=0, caption=""):
        rng = np.random.default_rng(seed)
        return Case(
            title=title,
            image=rng.integers(0, 256, (100, 100, 3), dtype=np.uint8),
            poses=(
                Pose("alone", (TRUTH + rng.normal(0, 8, TRUTH.shape))[:, :dimensions], 87.4),
                Pose("together", (TRUTH + rng.normal(0, 3, TRUTH.shape))[:, :dimensions], 31.6),
            ),
            truth=Pose("truth", TRUTH[:, :dimensions]),
            caption=caption,
        )

    return make


@pytest.fixture
def make_report(make_case):
    """A function that makes a report of three birds, with changes to its fields."""

    def make(cases=None, **changes):
        cases = cases or [make_case(f"bird {index}", seed=index) for index in range(3)]
        report = Report(
            title="Birds",
            lead="Birds on a branch.",
            skeleton=BIRD,
            facts=(Fact("mean error", "31.6 mm", "± 0.4"),),
            tables=(TABLE,),
            groups=(Group("Best", cases[:1]), Group("Worst", cases[1:], "the hard ones")),
            footer=(Fact("Command", "partgraph demo"),),
        )
        return attrs.evolve(report, **changes)

    return make
