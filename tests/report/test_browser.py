"""The page as a browser sees it; skipped where there is no Chromium."""

import attrs
import numpy as np
import pytest

from partgraph.report import Pose, write_report

# A synthetic pointer cannot be captured; everything else is as with a real one.
DRAG = """
function drag(canvas, x, y) {
  canvas.setPointerCapture = () => {};
  const at = (type, x, y) =>
    canvas.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, bubbles: true }));
  at("pointerdown", 50, 50); at("pointermove", 50 + x, 50 + y); at("pointerup", 50 + x, 50 + y);
  at("pointermove", 0, 0);
  return [Number(canvas.dataset.yaw), Number(canvas.dataset.pitch)];
}
const spaces = [...document.querySelectorAll(".space")];
const state = (canvas) => [Number(canvas.dataset.yaw), Number(canvas.dataset.pitch)];
"""


@pytest.fixture
def page(make_report, tmp_path):
    return write_report(make_report(), tmp_path / "page.html")


def test_a_page_draws_every_pose_without_complaint(browse, page, tmp_path):
    script = """
    const pixels = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const inked = (canvas) => pixels(canvas).some(Boolean);
    const canvases = [...document.querySelectorAll("canvas")];
    return {
      spaces: document.querySelectorAll(".space").length,
      overlays: document.querySelectorAll(".overlay").length,
      limbs: [...document.querySelectorAll(".space")].map((canvas) => canvas.dataset.limbs),
      inked: canvases.every(inked),
      errors: [...document.querySelectorAll(".error")].map((node) => node.textContent),
      cell: document.querySelector("tbody td").textContent,
      bar: !document.querySelector(".bar").hidden,
      wide: document.documentElement.scrollWidth > innerWidth,
    };"""
    found, console = browse(page, script, tmp_path)
    assert console == []
    assert found == {
        "spaces": 3,
        "overlays": 3,
        "limbs": ["12"] * 3,
        "inked": True,
        "errors": ["87mm", "32mm"] * 3,
        "cell": "87.4",
        "bar": True,
        "wide": False,
    }


def test_dragging_turns_one_view_and_double_click_resets_it(browse, page, tmp_path):
    script = """
    const before = spaces.map(state);
    const dragged = drag(spaces[1], 50, 20);
    const others = [spaces[0], spaces[2]].map(state);
    const steep = drag(spaces[1], 0, 1000);
    spaces[1].dispatchEvent(new MouseEvent("dblclick"));
    const reset = state(spaces[1]);
    const press = (key) => spaces[1].dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
    press("ArrowLeft"); press("ArrowUp");
    return { before, dragged, others, steep, reset, keyed: state(spaces[1]) };"""
    found, console = browse(page, DRAG + script, tmp_path)
    home = [35, 12]
    assert console == []
    assert found == {
        "before": [home] * 3,
        "dragged": [65, 24],
        "others": [home] * 2,
        "steep": [65, 90],
        "reset": home,
        "keyed": [25, 2],
    }


def test_controls_of_the_bar_reach_every_case(browse, page, tmp_path):
    script = """
    const bar = (pose) => document.querySelector(`.bar input[data-pose="${pose}"]`);
    const limbs = () => spaces.map((canvas) => Number(canvas.dataset.limbs));
    const picture = () => spaces[0].toDataURL();
    bar(1).click();
    const less = limbs();
    document.querySelector('.case input[data-pose="1"]').click();
    const mixed = [bar(1).indeterminate, bar(1).checked, limbs()];
    document.querySelector('[data-act="top"]').click();
    const top = spaces.map(state);
    const aligned = picture();
    document.querySelector('[data-act="align"]').click();
    return { less, mixed, top, moved: picture() !== aligned };"""
    found, console = browse(page, DRAG + script, tmp_path)
    assert console == []
    assert found == {"less": [8] * 3, "mixed": [True, False, [12, 8, 8]], "top": [[0, 90]] * 3, "moved": True}


def test_flat_and_unknown_poses_are_drawn(browse, make_report, make_case, tmp_path):
    flat = write_report(make_report([make_case(dimensions=2)]), tmp_path / "flat.html")
    case = make_case()
    positions = case.poses[0].positions.copy()
    positions[0] = np.nan
    lost = Pose("together", np.full((5, 3), np.nan))
    holes = make_report([attrs.evolve(case, poses=[Pose("alone", positions), lost])])
    holes = write_report(holes, tmp_path / "holes.html")
    script = "return [...document.querySelectorAll('canvas')].map((canvas) => canvas.dataset.limbs || null);"
    assert browse(flat, script, tmp_path) == ([None], [])
    assert browse(holes, script, tmp_path) == ([None, "7"], [])
