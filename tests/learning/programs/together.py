"""What two processes, started by torchrun, do together; every assertion holds in both, which each notes in FOLDER."""

import sys
from pathlib import Path

import torch
from torch import nn

from partgraph.learning import processes as module
from partgraph.learning.processes import joined

module._BUCKET = 5  # so that tensors travel in several buckets

with joined("cpu") as processes:
    rank = processes.rank
    assert (processes.size, processes.leads, processes.local_rank) == (2, rank == 0, rank)
    assert processes.share(8) == slice(4 * rank, 4 * rank + 4)
    assert processes.agree(lambda: {"from": rank}) == {"from": 0}
    thirds = torch.arange(9.0).view(3, 3) / 3
    assert torch.equal(torch.tensor(processes.agree(lambda: (thirds + rank).tolist())), thirds)
    assert processes.agree(lambda: ["größte", float("inf"), None, {}]) == ["größte", float("inf"), None, {}]
    processes.wait()

    tensors = [torch.full((size,), float(rank + 1)) for size in (3, 1, 7, 2)]
    processes.sum(tensors)
    assert all(torch.equal(tensor, torch.full_like(tensor, 3)) for tensor in tensors)

    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False), nn.BatchNorm1d(2))
    everywhere, in_one, nowhere = network[0].weight, network[1].weight, network[2].weight
    everywhere.grad = torch.full((2, 2), float(rank + 1))
    if rank == 1:
        in_one.grad = torch.ones(2, 2)
    processes.sum_gradients(network)
    assert torch.equal(everywhere.grad, torch.full((2, 2), 3.0))
    assert torch.equal(in_one.grad, torch.ones(2, 2))
    assert nowhere.grad is None

    norm = network[2]
    norm(torch.tensor([[0.0, 1.0], [2.0, 3.0]]) * (1 + rank))
    processes.average_statistics(network)
    # Momentum 0.1: means 1, 2 and 2, 4 of the two shares, unbiased variances 2 and 8.
    torch.testing.assert_close(norm.running_mean, torch.tensor([0.15, 0.3]))
    torch.testing.assert_close(norm.running_var, torch.full((2,), 0.9 + 0.1 * 5))
    network.eval()
    before = norm.running_mean.clone()
    processes.average_statistics(network)
    assert torch.equal(norm.running_mean, before)
Path(sys.argv[1], str(rank)).touch()
