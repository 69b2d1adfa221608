"""Motion of people: the clips that ship, and readers for motion capture in ASF / AMC and BVH."""

from partgraph_humanpose.motion.clip import MotionClip, embedded_clips
from partgraph_humanpose.motion.asf_amc import read_amc, read_asf

__all__ = ["MotionClip", "embedded_clips", "read_amc", "read_asf"]
