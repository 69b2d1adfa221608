"""The terms of a score: functions of one or two parts' positions, each written once for solvers, gradients and bounds.

`Quadratic` is the pairwise term of the paper (eq. 3). `FullQuadratic`, `LimbLength`, the robust `Truncated`, `Huber`
and `Cauchy`, and `Mixture` go beyond it; `GaussianPrior`, `BoxPrior` and `Visibility` are priors of one part. `Linear`
and `Proximal` are what ADMM adds to a slave, `EuclideanLoss` what loss-augmented inference adds.
"""

from partgraph.potentials.admm import Linear, Proximal
from partgraph.potentials.base import Pairwise, Potential, Unary
from partgraph.potentials.compiled import CompiledTerm, get_include
from partgraph.potentials.full_quadratic import FullQuadratic
from partgraph.potentials.limb_length import LimbLength
from partgraph.potentials.mixture import Mixture
from partgraph.potentials.priors import BoxPrior, GaussianPrior, Visibility
from partgraph.potentials.quadratic import Quadratic
from partgraph.potentials.robust import Cauchy, Huber, Robust, Truncated
from partgraph.potentials.scaled import Scaled
from partgraph.potentials.task_loss import EuclideanLoss

__all__ = [
    "BoxPrior",
    "Cauchy",
    "CompiledTerm",
    "EuclideanLoss",
    "FullQuadratic",
    "GaussianPrior",
    "Huber",
    "LimbLength",
    "Linear",
    "Mixture",
    "Pairwise",
    "Potential",
    "Proximal",
    "Quadratic",
    "Robust",
    "Scaled",
    "Truncated",
    "Unary",
    "Visibility",
    "get_include",
]
