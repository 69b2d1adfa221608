"""Motion of people: the clips that ship, and readers of motion capture in ASF / AMC and BVH."""

from partgraph_humanpose.motion.asf_amc import read_amc
from partgraph_humanpose.motion.bvh import read_bvh
from partgraph_humanpose.motion.clip import MotionClip, embedded_clips
from partgraph_humanpose.motion.read import read_motion
from partgraph_humanpose.motion.text import MotionError

__all__ = ["MotionClip", "MotionError", "embedded_clips", "read_amc", "read_bvh", "read_motion"]
