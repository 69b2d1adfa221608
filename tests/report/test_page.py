import base64
import io
import json
import os
import re
import sys
from html.parser import HTMLParser

import attrs
import numpy as np
import pytest
from PIL import Image

from partgraph.errors import MissingPackageError
from partgraph.report import Case, Column, Fact, Group, Pose, Row, Table, write_report
from partgraph.report.data import embed_json, viewer_data
from partgraph.report.page import render

HOSTILE = '</script><script>alert("1")</script><!-- & \' $title ${x} \u2028 é'


class Outline(HTMLParser):
    """Elements, addresses and text of a page; embedded data apart."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.addresses, self.text, self.data = [], [], "", ""
        self._in = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        attributes = dict(attributes)
        self.addresses += [attributes[name] for name in ("src", "href", "action") if name in attributes]
        self._in = attributes.get("type") if tag == "script" else tag

    def handle_data(self, data):
        if self._in == "application/json":
            self.data += data
        elif self._in not in (None, "style"):
            self.text += data

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._in = "body"


def test_a_page_refers_to_nothing_outside_itself(make_report):
    text = render(make_report())
    outline = Outline(text)
    assert outline.addresses
    assert all(address.startswith(("data:", "#")) for address in outline.addresses)
    assert not re.search(r"https?:|[\"'(]//|@import|url\(|\bfetch\(|XMLHttpRequest", text)
    assert "link" not in outline.elements
    assert "default-src 'none'" in text, "the browser refuses whatever is not in the page"


def test_a_page_shows_every_text_and_number(make_report):
    text = Outline(render(make_report())).text
    for expected in (
        *("Birds", "Birds on a branch.", "mean error", "31.6 mm", "± 0.4", "the hard ones", "partgraph demo"),
        *("87.4", "\u22121\u2009234.50", "± 0.25", "–", "ours", "bird 2", "wren", "together", "truth"),
    ):
        assert expected in text


def test_every_text_is_escaped(make_report, make_case):
    table = Table(
        HOSTILE, [Column(HOSTILE, HOSTILE)], [Row(HOSTILE, [HOSTILE], note=HOSTILE)], HOSTILE, HOSTILE
    )
    case = make_case(HOSTILE, caption=HOSTILE)
    case = attrs.evolve(case, poses=[attrs.evolve(case.poses[0], name=HOSTILE)])
    fact = Fact(HOSTILE, HOSTILE, HOSTILE)
    report = make_report(
        title=HOSTILE,
        lead=HOSTILE,
        facts=[fact],
        footer=[fact],
        tables=[table],
        groups=[Group(HOSTILE, [case], HOSTILE), Group(HOSTILE, [case])],
    )
    report = attrs.evolve(report, skeleton=attrs.evolve(report.skeleton, parts=[HOSTILE] * 5))
    outline = Outline(render(report))
    assert outline.elements.count("script") == 2, "the data and the viewer"
    assert outline.text.count(HOSTILE) == 29
    assert json.loads(outline.data)["parts"] == [HOSTILE] * 5


def test_embedded_json_survives_hostile_text_and_refuses_nan():
    text = embed_json({HOSTILE: [HOSTILE, 1.5, None]})
    assert json.loads(text) == {HOSTILE: [HOSTILE, 1.5, None]}
    assert not re.search("[<>&\u2028]", text)
    with pytest.raises(ValueError, match="Out of range float"):
        embed_json([float("nan")])


def test_unknown_parts_become_null(make_report, make_case):
    case = make_case()
    positions = case.poses[0].positions.copy()
    positions[2, 1] = np.nan
    report = make_report([attrs.evolve(case, poses=[Pose("alone", positions)])])
    data = viewer_data(report)["cases"][0]
    assert data["poses"]["1"][2] is None
    assert data["poses"]["1"][3] == pytest.approx(list(positions[3]), abs=0.01)
    assert data["aligned"]["1"][2] is None
    assert None not in data["aligned"]["0"]


def test_alignment_takes_a_similar_pose_onto_the_truth(make_report, make_case):
    case = make_case()
    turned = 1.7 * case.truth.positions[:, [1, 2, 0]] + [5, -3, 40]
    data = viewer_data(make_report([attrs.evolve(case, poses=[Pose("alone", turned)])]))["cases"][0]
    np.testing.assert_allclose(data["aligned"]["1"], case.truth.positions, atol=0.02)


def test_poses_without_any_known_part_are_no_error(make_report, make_case):
    case = make_case()
    lost = Pose("alone", np.full((5, 3), np.nan))
    assert (
        viewer_data(make_report([attrs.evolve(case, poses=[lost])]))["cases"][0]["aligned"]["1"] == [None] * 5
    )


def test_flat_poses_have_no_3d_view(make_report, make_case):
    text = render(make_report([make_case(dimensions=2), make_case("another", dimensions=2)]))
    assert 'class="space"' not in text
    assert "<button" not in text
    assert text.count('class="overlay"') == 2


def test_only_the_chosen_poses_are_switched_on_at_first(make_report):
    text = render(make_report(shown=["truth", "together"]))
    switches = re.findall(r'<input type="checkbox" data-pose="(\d)"( checked)?>', text)
    assert len(switches) == 3 * (1 + 3), "one for each pose in the bar and in three cases"
    assert {colour for colour, checked in switches if checked} == {"0", "1"}
    assert {colour for colour, checked in switches if not checked} == {"2"}


def test_pictures_are_embedded_and_large_ones_reduced(make_report, make_case):
    large = attrs.evolve(make_case(), image=np.zeros((1000, 3000, 3), np.uint8))
    encoded = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', render(make_report([make_case(), large])))
    sizes = [Image.open(io.BytesIO(base64.b64decode(picture))).size for picture in encoded]
    assert sizes == [(100, 100), (960, 320)]


def test_two_dozen_cases_stay_below_three_megabytes(make_report, make_case, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)  # what JPEG is worst at
    cases = [attrs.evolve(make_case(f"bird {index}"), image=noise) for index in range(24)]
    assert write_report(make_report(cases), tmp_path / "page.html").stat().st_size < 3_000_000


def test_a_report_without_cases_has_no_gallery(make_report):
    text = render(make_report(groups=[]))
    assert 'class="bar"' not in text
    assert "87.4" in text


def test_a_failed_write_leaves_the_old_file_and_no_other(make_report, tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    assert write_report(make_report(title="first"), page) == page
    before = page.read_text(encoding="utf-8")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(make_report(title="second"), page)
    assert page.read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [page]


def test_a_missing_folder_is_named(make_report, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*absent; create it first"):
        write_report(make_report(), tmp_path / "absent" / "page.html")


def test_titles_from_undecodable_file_names_are_written(make_report, tmp_path):
    page = write_report(make_report(title=os.fsdecode(b"b\xffrd.jpg")), tmp_path / "page.html")
    assert "rd.jpg" in page.read_text(encoding="utf-8")


def test_missing_pillow_is_explained(make_report, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        MissingPackageError, match="need Pillow, which is not installed; install it with: pip"
    ):
        render(make_report())


def test_importing_reports_loads_no_pillow(python):
    assert python("import sys, partgraph.report; print('PIL' in sys.modules)") == "False"


def test_a_case_may_lack_the_truth(make_report, make_case):
    case = make_case()
    alone = Case("lone", case.image, case.poses[:1])
    text = render(make_report([case, alone]))
    assert ">Align</button>" in text
    assert ">Align</button>" not in render(make_report([alone]))
