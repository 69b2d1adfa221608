"""
A rigid object in clutter
=========================

Bicycles in two dimensions, among other lines and round things, turned by any angle, seen from either side, partly
hidden.

Seven landmarks. A small detector says how much each pixel looks like each of them, whatever the angle: it compares the
spectra of rings around the pixel, which do not change when the picture is turned. Hubs look like other round things,
tubes cross in many places, so the best pixel is often wrong. But distances between landmarks are known: `LimbLength` on
all pairs holds for every angle and for mirror images, and the graph is as loopy as can be. `Truncated` limits what a
hidden landmark costs the others: it gets some candidate that fits few of them. `exact` finds the best configuration and
proves it; the rigid motion that most landmarks agree with then says which are hidden, and where they are.

Needs partgraph-solvers. With ``--plot`` the script writes ``rigid_object.png``, for which Pillow must be installed.
"""

import sys
from itertools import combinations

import numpy as np

from partgraph import Candidates, LimbLength, Problem, Status, Truncated, solve
from partgraph.topologies import complete

LANDMARKS = {  # px, y down
    "rear-hub": (0, 0),
    "front-hub": (104, 0),
    "crank": (44, 4),
    "seat-cluster": (30, -46),
    "saddle": (25, -64),
    "head-tube": (84, -50),
    "handlebar": (96, -68),
}
TUBES = [
    "rear-hub crank",
    "rear-hub seat-cluster",
    "crank seat-cluster",
    "seat-cluster saddle",
    "crank head-tube",
]
TUBES += ["seat-cluster head-tube", "head-tube handlebar", "head-tube front-hub"]
SHAPE = np.array(list(LANDMARKS.values()), float)
WHEEL, SIZE, STRIDE = 32.0, 260, 3
Y, X = np.mgrid[:SIZE, :SIZE].astype(np.float32)
RINGS, HARMONICS = (4, 8, 13, 20, 32), 7


# -- pictures ----------------------------------------------------------------------------------------------------


def stroke(image: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Draw a line two pixels wide."""
    along = (end - start).astype(np.float32)
    x, y = X - np.float32(start[0]), Y - np.float32(start[1])
    share = np.clip((x * along[0] + y * along[1]) / (along @ along), 0, 1)
    apart = np.hypot(x - share * along[0], y - share * along[1])
    np.maximum(image, np.clip(1.8 - apart, 0, 1), out=image)


def circle(image: np.ndarray, middle: np.ndarray, radius: float) -> None:
    """Draw a circle two pixels wide."""
    away = abs(np.hypot(X - np.float32(middle[0]), Y - np.float32(middle[1])) - radius)
    np.maximum(image, np.clip(1.8 - away, 0, 1), out=image)


def picture(rng: np.random.Generator, hidden: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a picture of a bicycle, its landmarks (7, 2), and which of them are seen (7,)."""
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    side = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    shape = (SHAPE - SHAPE.mean(0)) @ side @ turn.T
    truth = shape + rng.uniform(-20, 20, 2) + SIZE / 2
    place = dict(zip(LANDMARKS, truth, strict=True))
    image = np.zeros((SIZE, SIZE))
    for tube in TUBES:
        start, end = tube.split()
        stroke(image, place[start], place[end])
    for hub in ("rear-hub", "front-hub"):
        circle(image, place[hub], WHEEL)
        circle(image, place[hub], 4)
    for _ in range(6):  # clutter: other lines and other round things
        stroke(image, *rng.uniform(0, SIZE, (2, 2)))
        circle(image, rng.uniform(0, SIZE, 2), rng.choice([4.0, 15.0, WHEEL]))
    seen = np.ones(len(truth), bool)
    for part in rng.choice(len(truth), hidden, replace=False):  # something in front
        x, y = np.maximum(truth[part].astype(int) - 12, 0)
        image[y : y + 25, x : x + 25] = rng.uniform(0.2, 0.8)
        seen &= np.abs(truth - truth[part]).max(1) > 12
    return np.clip(image + rng.normal(0, 0.1, image.shape), 0, 1), truth, seen


# -- the detector ------------------------------------------------------------------------------------------------


def spectra(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return sizes of the first harmonics of rings around points (K, 2): (K, rings * harmonics)."""
    angle = 2 * np.pi * np.arange(32) / 32
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    rings = np.array(RINGS)[:, None, None] * circle
    x, y = np.moveaxis(np.rint(points[:, None, None] + rings).astype(int) + RINGS[-1], -1, 0)
    values = np.pad(image, RINGS[-1] + 1)[y, x]
    return np.log1p(np.abs(np.fft.rfft(values))[..., :HARMONICS]).reshape(len(points), -1)


class Detector:
    """Logits of a landmark against everything else: logistic regression on spectra and their Mahalanobis distances."""

    def __init__(self, rng: np.random.Generator, pictures: int = 120) -> None:
        rows: list[list[np.ndarray]] = [[] for _ in range(len(LANDMARKS) + 1)]
        for _ in range(pictures):
            image, truth, seen = picture(rng, hidden=2)
            at = spectra(
                image, np.concatenate([truth + rng.uniform(-1.5, 1.5, truth.shape), away(rng, truth)])
            )
            for part in np.flatnonzero(seen):
                rows[part].append(at[part])
            rows[-1].extend(at[len(truth) :])
        samples = [np.array(own) for own in rows]
        self.gaussians = [
            (own.mean(0), np.linalg.inv(np.cov(own.T) + 0.01 * np.eye(own.shape[1]))) for own in samples[:-1]
        ]
        features = self.features(np.concatenate(samples))
        part = np.repeat(np.arange(len(samples)), list(map(len, samples)))
        share = 1e-2  # of landmarks among the samples, and among pixels one in a thousand
        self.weights = np.stack([regression(features, part == own) for own in range(len(LANDMARKS))])
        self.shift = np.log(1e-3 / share)

    def features(self, rows: np.ndarray) -> np.ndarray:
        """Return the spectra, their distances from those of each landmark, and a one."""
        distances = [
            np.sqrt(np.einsum("kd,de,ke->k", rows - m, inverse, rows - m)) for m, inverse in self.gaussians
        ]
        return np.column_stack([rows, *distances, np.ones(len(rows))])

    def __call__(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Return the logits of points (K, 2): (7, K)."""
        return self.weights @ self.features(spectra(image, points)).T + self.shift


def away(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """Return points that are no landmarks, half of them near one: (about 60, 2)."""
    near = truth[rng.integers(0, len(truth), 40)] + rng.normal(0, 12, (40, 2))
    points = np.concatenate([near, rng.uniform(0, SIZE - 1, (40, 2))]).clip(0, SIZE - 1)
    return points[np.linalg.norm(points[:, None] - truth, axis=2).min(1) > 5]


def regression(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the weights of a logistic regression, by Newton's method with a small penalty."""
    weights = np.zeros(x.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        hessian = (x * (p * (1 - p) + 1e-6)[:, None]).T @ x + np.eye(x.shape[1])
        weights -= np.linalg.solve(hessian, x.T @ (p - y) + weights)
    return weights


# -- the problem -------------------------------------------------------------------------------------------------

GRAPH = complete(LANDMARKS)
PAIRWISE = [
    Truncated(LimbLength(np.linalg.norm(SHAPE[j] - SHAPE[i]), sigma=3.0), limit=4.0) for i, j in GRAPH.edges
]


def problem_of(points: np.ndarray, logits: np.ndarray, count: int = 40) -> Problem:
    """Return the problem of the best local maxima of every landmark."""
    side = round(len(points) ** 0.5)
    own = []
    for logit in logits:
        field = np.pad(logit.reshape(side, side), 1, constant_values=-np.inf)
        around = np.lib.stride_tricks.sliding_window_view(field, (3, 3)).max((2, 3)).ravel()
        peaks = np.flatnonzero(logit == around)
        best = peaks[np.argsort(-logit[peaks])[:count]]
        own.append(Candidates(points[best], logit[best]))
    return Problem(GRAPH, own, PAIRWISE)


def fitted(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all landmarks as the bicycle moves rigidly, and which of the positions found are there, the others hidden.

    Of the fits to four landmarks, the one that most landmarks agree with.
    """
    fits = [motion(positions, list(four)) for four in combinations(range(len(SHAPE)), 4)]
    agree = [np.linalg.norm(positions - fit, axis=1) < 6 for fit in fits]
    seen = max(agree, key=np.count_nonzero)
    return motion(positions, np.flatnonzero(seen)), seen


def motion(positions: np.ndarray, some: list[int] | np.ndarray) -> np.ndarray:
    """Return all landmarks by the motion, mirror images allowed, that brings some to their positions (Kabsch, 1976)."""
    source, target = SHAPE[some], positions[some]
    u, _, v = np.linalg.svd((source - source.mean(0)).T @ (target - target.mean(0)))
    return (SHAPE - source.mean(0)) @ u @ v + target.mean(0)


def draw(image: np.ndarray, truth: np.ndarray, argmax: np.ndarray, found: np.ndarray) -> None:
    """Write the picture, three times as large: truth gray, the best pixels red, the fit green."""
    from PIL import Image, ImageDraw

    shown = Image.fromarray((255 * (1 - image)).astype(np.uint8)).convert("RGB")
    shown = shown.resize((3 * SIZE, 3 * SIZE), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(shown)
    for places, colour, radius in ((truth, "gray", 13), (argmax, "crimson", 9), (found, "seagreen", 6)):
        for x, y in 3 * places:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=3)
    names = list(LANDMARKS)
    for tube in TUBES:
        start, end = (tuple(3 * found[names.index(name)]) for name in tube.split())
        pen.line((start, end), fill="seagreen", width=2)
    shown.save("rigid_object.png")
    print("rigid_object.png")


def main() -> None:
    rng = np.random.default_rng(0)
    detector = Detector(rng)
    axis = np.arange(0, SIZE, STRIDE, dtype=float)
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    right, total, hidden = {"the best pixel": 0, "the best configuration": 0, "and a rigid fit": 0}, 0, [0, 0]
    for number in range(12):
        image, truth, seen = picture(rng, hidden=2)
        logits = detector(image, points)
        problem = problem_of(points, logits)
        solution = solve(problem, "exact")
        assert solution.status is Status.OPTIMAL
        positions = problem.positions(solution.labels[0])
        argmax = points[logits.argmax(1)]
        fit, taken = fitted(positions)
        for name, places in zip(right, (argmax, positions, fit), strict=True):
            right[name] += int((np.linalg.norm(places - truth, axis=1) < 6)[seen].sum())
        total += int(seen.sum())
        hidden[0] += int((np.linalg.norm(fit - truth, axis=1) < 6)[~seen].sum())
        hidden[1] += int((~seen).sum())
        print(
            f"picture {number:2}: score {solution.scores[0]:6.1f}, proven; called hidden: "
            f"{', '.join(np.array(GRAPH.parts)[~taken]) or 'none'} (are: {', '.join(np.array(GRAPH.parts)[~seen])})"
        )
        if number == 0 and "--plot" in sys.argv:
            draw(image, truth, argmax, fit)
    for name, count in right.items():
        print(f"{name:24} {count:3} of {total} landmarks in view within 6 px")
    print(f"{'and of those hidden':24} {hidden[0]:3} of {hidden[1]}")


if __name__ == "__main__":
    main()
