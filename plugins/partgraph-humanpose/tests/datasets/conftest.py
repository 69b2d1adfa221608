"""A small studio: known people before known cameras, written to disk in every layout of Human3.6M."""

import json
import shutil

import numpy as np
import pytest
from partgraph_humanpose.datasets.human36m.camera import Camera
from partgraph_humanpose.datasets.human36m.protocol import CAMERAS, SUBJECTS
from PIL import Image
from scipy.io import savemat

WIDTH, HEIGHT = 200, 216
FRAMES = 23
TAKES = {
    "S1": ("Directions 1", "TakingPhoto"),
    "S9": ("Greeting", "Waiting 1", "Posing"),
    "S11": ("Directions", "Directions 1"),
}
FETCHED = {"Directions": "Directions-2", "Directions 1": "Directions-1", "TakingPhoto": "TakingPhoto-2"} | {
    "Greeting": "Greeting-2",
    "Waiting 1": "Waiting-1",
    "Posing": "Posing-2",
}
MAPPING = (
    ("Action", "subaction", "S1", "S9", "S11"),
    (1, 1, "_ALL 1", "_ALL 1", "_ALL 1"),
    (2, 1, "Directions 1", "Directions 1", "Directions 1"),
    (2, 2, "Directions", "Directions", "Directions"),
    (5, 2, "Greeting", "Greeting", "Greeting"),
    (7, 2, "Posing", "Posing", "Posing"),
    (12, 2, "TakingPhoto", "Photo", "Photo"),
    (13, 1, "Waiting 1", "Waiting 1", "Waiting 1"),
    ("Action", "subaction", "Irina", "Paul", "Andrei"),
    ("", "", "[1002 1000]", "[1002 1000]", "[1002 1000]"),
)
OF_32 = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
NUMBER_OF_ACTION = {"Directions": 2, "Greeting": 5, "Posing": 7, "TakingPhoto": 12, "Waiting": 13}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PARTGRAPH_CACHE", str(tmp_path / "cache"))


class Studio:
    """World joints (F, 32, 3) mm by subject and take, and the numbers of all cameras."""

    frames, fetched = FRAMES, FETCHED

    def __init__(self):
        random = np.random.default_rng(3)
        self.extrinsic = np.empty((4, 11, 6))
        self.intrinsic = np.empty((4, 9))
        self.cameras = {}
        for k, name in enumerate(CAMERAS):
            self.intrinsic[k] = (
                *(220 + k, 224 - k, 100 + k, 105 - k),
                *(-0.2 + 0.01 * k, 0.24, -0.002, -0.0009 + 0.001 * k, 0.0015),
            )
            for subject in range(11):
                angles = random.uniform(-3, 3, 3)
                turned = Camera.from_numbers([*angles, 0, 0, 0], self.intrinsic[k])
                position = np.array([0, 0, 1000]) - turned.to_world([0, 0, 5200 + 10 * subject])
                self.extrinsic[k, subject] = (*angles, *position)
                self.cameras[f"S{subject + 1}", name] = Camera.from_numbers(
                    self.extrinsic[k, subject], self.intrinsic[k]
                )
        self.world = {
            (subject, take): np.array([0, 0, 1000])
            + random.normal(0, 300, (FRAMES, 32, 3)).astype(np.float32)
            for subject, takes in TAKES.items()
            for take in takes
        }

    def camera(self, subject, take, name):
        """(F, 32, 3) mm in camera coordinates."""
        return self.cameras[subject, name].to_camera(self.world[subject, take])

    def pixels(self, subject, take, name):
        """(F, 32, 2) px."""
        return self.cameras[subject, name].project(self.camera(subject, take, name))

    def videos(self):
        for subject, take in self.world:
            for camera in CAMERAS:
                if (subject, take, camera) != ("S11", "Directions", "54138969"):
                    yield subject, take, camera

    # What people have on disk.

    def write_metadata(self, folder):
        mapping = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in MAPPING)
        numbers = " ".join(map(repr, [*self.extrinsic.ravel().tolist(), *self.intrinsic.ravel().tolist()]))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metadata.xml").write_text(
            f'<?xml version="1.0" encoding="utf-8"?>\n<a>\n   <mapping>{mapping}</mapping>\n'
            f"   <w0>[{numbers}]</w0>\n</a>\n"
        )

    def write_cameras_json(self, folder):
        """VideoPose3D's tables, with the quaternion from camera to world and the tangential distortion crosswise."""
        from scipy.spatial.transform import Rotation

        intrinsic = [
            {
                "id": name,
                "center": numbers[2:4].tolist(),
                "focal_length": numbers[:2].tolist(),
                "radial_distortion": numbers[4:7].tolist(),
                "tangential_distortion": numbers[7:9][::-1].tolist(),
                "res_w": WIDTH,
                "res_h": HEIGHT,
                "azimuth": 70,
            }
            for name, numbers in zip(CAMERAS, self.intrinsic, strict=True)
        ]
        extrinsic = {"S2": [{}, {}, {}, {}]}
        for subject in SUBJECTS:
            extrinsic[subject] = []
            for name in CAMERAS:
                camera = self.cameras[subject, name]
                x, y, z, w = Rotation.from_matrix(camera.rotation.T).as_quat()
                extrinsic[subject].append(
                    {"orientation": [w, x, y, z], "translation": camera.position.tolist()}
                )
        (folder / "cameras.json").write_text(json.dumps({"intrinsic": intrinsic, "extrinsic": extrinsic}))

    def write_cdf(self, folder, mono=True, flat=True, world=True, form="MyPoseFeatures/{}"):
        for subject, take in self.world:
            own = folder / subject
            if world:
                write_pose(own / form.format("D3_Positions") / f"{take}.cdf", self.world[subject, take])
            for camera in CAMERAS:
                name = f"{take}.{camera}.cdf"
                if mono:
                    path = own / form.format("D3_Positions_mono") / name
                    write_pose(path, self.camera(subject, take, camera))
                if flat:
                    write_pose(own / form.format("D2_Positions") / name, self.pixels(subject, take, camera))

    def write_fetch(self, folder, rows=slice(None)):
        h5py = pytest.importorskip("h5py")
        for subject, take in self.world:
            own = folder / "processed" / subject / FETCHED[take]
            frames = np.arange(FRAMES)[rows]
            cameras = [camera for s, t, camera in self.videos() if (s, t) == (subject, take)]
            own.mkdir(parents=True)
            with h5py.File(own / "annot.h5", "w") as file:
                for name, values in (
                    ("pose/2d", self.pixels),
                    ("pose/3d", self.camera),
                    ("pose/3d-univ", self.camera),
                ):
                    joints = [values(subject, take, camera)[frames] for camera in cameras]
                    file[name] = np.concatenate(joints)
                file["frame"] = np.tile(frames + 1, len(cameras))
                file["camera"] = np.repeat([int(camera) for camera in cameras], len(frames))
                file["subject"] = np.full(len(cameras) * len(frames), int(subject[1:]))
                file["action"] = np.full(len(file["frame"]), NUMBER_OF_ACTION[take.split()[0]])
                file["subaction"] = np.full(len(file["frame"]), int(FETCHED[take][-1]))
            for camera in cameras:
                for frame in frames:
                    write_picture(own / "imageSequence" / camera / f"img_{frame + 1:06d}.jpg", frame)

    def write_mmpose(self, folder, rate="fps10"):
        step = {"fps10": 5, "fps50": 1}[rate]
        out = folder / "annotation_body3d" / rate
        out.mkdir(parents=True)
        for split, subjects in (("train", ("S1",)), ("test", ("S9", "S11"))):
            names, part, truth = [], [], []
            for subject, take, camera in self.videos():
                if subject not in subjects:
                    continue
                base = f"{subject}_{take.replace(' ', '_')}.{camera}"
                for frame in range(0, FRAMES, step):
                    names.append(f"{subject}/{base}/{base}_{frame + 1:06d}.jpg")
                    write_picture(folder / "images" / names[-1], frame)
                    ones = np.ones((17, 1))
                    part.append(np.hstack([self.pixels(subject, take, camera)[frame, OF_32], ones]))
                    truth.append(np.hstack([self.camera(subject, take, camera)[frame, OF_32] / 1000, ones]))
            np.savez(
                out / f"h36m_{split}.npz",
                imgname=np.array(names),
                center=np.zeros((len(names), 2)),
                scale=np.ones(len(names)),
                part=np.array(part),
                S=np.array(truth),
            )

    def write_pavlakos(self, folder, truth=("valid",), flat=("train", "valid"), interval=None):
        h5py = pytest.importorskip("h5py")
        annot = folder / "annot"
        annot.mkdir(parents=True)
        for split, subjects in (("train", ("S1",)), ("valid", ("S9", "S11"))):
            names, part, seen = [], [], []
            for subject, take, camera in self.videos():
                if subject not in subjects:
                    continue
                for frame in range(0, FRAMES, 5):
                    names.append(f"{subject}_{take.replace(' ', '_')}.{camera}_{frame + 1:06d}.jpg")
                    write_picture(folder / "images" / names[-1], frame)
                    part.append(self.pixels(subject, take, camera)[frame, OF_32])
                    seen.append(self.camera(subject, take, camera)[frame, OF_32])
            (annot / f"{split}_images.txt").write_text("\n".join(names) + "\n")
            seen = np.array(seen)
            depth = seen[..., 2] - seen[:, :1, 2]
            with h5py.File(annot / f"{split}.h5", "w") as file:
                file["center"], file["scale"] = np.zeros((len(names), 2)), np.ones(len(names))
                if split in flat:
                    file["part"] = np.array(part)
                    file["zind"] = np.ceil((depth + 1005.18590298) / 31.03196507).astype(np.float64)
            if split in truth:
                stems = np.array([name[:-4] for name in names], object)
                values = {"imgname": stems[:, None], "S": seen.transpose(0, 2, 1)}
                savemat(annot / f"{split}.mat", {"annot": values})

    def write_videopose3d(self, folder, pickled=False):
        folder.mkdir(parents=True, exist_ok=True)
        positions = {}
        for (subject, take), world in self.world.items():
            positions.setdefault(subject, {})[take.replace("TakingPhoto", "Photo")] = (
                world.astype("f4") / 1000
            )
        if pickled:
            np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=positions)
        else:
            plain = {
                f"{subject}/{take}": p for subject, takes in positions.items() for take, p in takes.items()
            }
            np.savez(folder / "data_3d_h36m_plain.npz", **plain)

    def write_videos(self, folder):
        """The same pictures in all of them."""
        first = None
        for subject, take, camera in self.videos():
            path = folder / subject / "Videos" / f"{take}.{camera}.mp4"
            if first is None:
                write_video(path)
                first = path
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(first, path)


@pytest.fixture(scope="session")
def studio():
    return Studio()


@pytest.fixture(scope="session")
def folders(studio, tmp_path_factory):
    """The same data in every layout; not to be changed."""
    root = tmp_path_factory.mktemp("human36m")
    studio.write_cdf(root / "cdf")
    studio.write_videos(root / "cdf")
    studio.write_metadata(root / "cdf")
    studio.write_fetch(root / "fetch", slice(0, None, 5))
    studio.write_metadata(root / "fetch")
    studio.write_mmpose(root / "mmpose")
    studio.write_metadata(root / "mmpose")
    studio.write_pavlakos(root / "pavlakos", truth=("train", "valid"))
    studio.write_metadata(root / "pavlakos")
    studio.write_videopose3d(root / "videopose3d")
    studio.write_cameras_json(root / "videopose3d")
    for subject in TAKES:
        shutil.copytree(root / "cdf" / subject / "Videos", root / "videopose3d" / subject / "Videos")
    return root


def write_pose(path, joints):
    """A CDF file with the variable Pose, (1, F, 96) or (1, F, 64), as the release has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cdflib = pytest.importorskip("cdflib")
    path.unlink(missing_ok=True)
    data = np.asarray(joints, np.float32).reshape(1, len(joints), -1)
    file = cdflib.cdfwrite.CDF(str(path), cdf_spec={"Majority": "row_major"})
    file.write_var(
        {
            "Variable": "Pose",
            "Data_Type": 44,  # CDF_FLOAT
            "Num_Elements": 1,
            "Rec_Vary": True,
            "Var_Type": "zVariable",
            "Dim_Sizes": list(data.shape[1:]),
        },
        var_data=data,
    )
    file.close()


def picture(frame):
    """A picture that says where and when: red is x, green is y, blue is the frame's number."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x, y, np.full_like(x, 10 * frame)], -1).astype(np.uint8)


def write_picture(path, frame=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(frame)).save(path, quality=95, subsampling=0)


def write_video(path, frames=FRAMES, rate=50):
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 4_000_000
        stream.codec_context.gop_size = 6
        for frame in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(frame), format="rgb24")))
        container.mux(stream.encode())


Studio.write_pose = staticmethod(write_pose)
Studio.write_picture = staticmethod(write_picture)
Studio.write_video = staticmethod(write_video)
Studio.picture = staticmethod(picture)
