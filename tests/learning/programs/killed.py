"""Trains as `partgraph train` does, and is killed at a step: CONFIG FOLDER STAGE STEP."""

import os
import signal
import sys
from pathlib import Path

import torch

from partgraph.learning.experiment import read_experiment
from partgraph.learning.train import Silent, train


class Killer:
    def __init__(self, stage: str, step: int) -> None:
        self.stage, self.step = stage, step
        self.preparing, self.calibrating = Silent().preparing, Silent().calibrating

    def training(self, progress) -> None:
        if (progress.stage, progress.step) == (self.stage, self.step):
            os.kill(os.getpid(), signal.SIGKILL)


config, folder, stage, step = sys.argv[1:]
torch.set_num_threads(1)
train(read_experiment(Path(config)), Path(folder), Killer(stage, int(step)))
