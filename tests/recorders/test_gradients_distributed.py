"""Several processes: rank 0 writes the averaged gradients' norms; shards are refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from epochord.recorders import GradientRecorder
from epochord.runlog import open_run
from epochord.runlog.run.run import GRAD_NORM

STEPS = 6

# Two processes by fork, before torch has threads: importing it is what takes
# time.  Each rank also differentiates a plain copy of the model on its own
# batches, and saves those local gradients for the test to average.
SCRIPT = """
import copy, datetime, json, os, sys, warnings
import torch
import torch.distributed as dist
from torch import nn
from epochord.recorders import GradientRecorder

folder, capture, format = sys.argv[1], sys.argv[2] == "True", sys.argv[3]
child = os.fork()
rank = 1 if child == 0 else 0
torch.set_num_threads(1)
dist.init_process_group(
    "gloo", init_method=f"file://{folder}/init", rank=rank, world_size=2,
    timeout=datetime.timedelta(seconds=60),
)
torch.manual_seed(0)
plain = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
model = nn.parallel.DistributedDataParallel(copy.deepcopy(plain))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
random = torch.Generator().manual_seed(100 + rank)
local, steps = [], []
directory = f"{folder}/mine" if rank == 0 else f"{folder}/second"
with GradientRecorder(model, optimizer, directory, format=format) as recorder:
    steps.append(recorder.step)
    for step in range(STEPS):
        plain.load_state_dict(model.module.state_dict())
        batch, target = (torch.randn(6, n, generator=random) for n in (4, 3))
        loss = ((plain(batch) - target) ** 2).mean()
        names, parameters = zip(*plain.named_parameters())
        local.append(dict(zip(names, torch.autograd.grad(loss, parameters))))
        optimizer.zero_grad()
        loss = ((model(batch) - target) ** 2).mean()
        loss.backward()
        if capture:
            recorder.capture()
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()
        recorder.log("rank", rank)
        if step == 2:
            recorder.flush()
        steps.append(recorder.step)
torch.save(local, f"{folder}/local{rank}.pt")
with open(f"{folder}/steps{rank}.json", "w") as file:
    json.dump(steps, file)
dist.barrier()
dist.destroy_process_group()
if child == 0:
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""".replace("STEPS", str(STEPS))


@pytest.fixture(scope="module", params=["parquet", "tensorboard-captured"])
def trained(request, tmp_path_factory) -> Path:
    """Give the folder of two ranks that trained, with or without clipping after capture()."""
    folder = tmp_path_factory.mktemp("ranks")
    format, _, captured = request.param.partition("-")
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(folder), str(bool(captured)), format],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_rank_0_writes_the_norms_of_the_averaged_gradient(trained, oracle):
    """Both ranks run the same code; one log comes out, under the plain names."""
    first, second = (torch.load(trained / f"local{rank}.pt") for rank in (0, 1))
    for step in range(STEPS):
        for name, gradient in first[step].items():
            oracle.note(name, step, (gradient.double() + second[step][name].double()) / 2)
    run = open_run(trained / "mine")
    oracle.assert_recorded(run)
    assert run["rank"].values.tolist() == [0] * STEPS
    assert [layer.name for layer in run.metadata.layers] == ["0", "2"]
    assert run.metadata.status == "finished"
    assert not (trained / "second").exists()


def test_both_ranks_count_the_steps(trained):
    """`recorder.step` may steer collective calls, so it is equal on all ranks."""
    for rank in (0, 1):
        steps = json.loads((trained / f"steps{rank}.json").read_text())
        assert steps == list(range(-1, STEPS))


@pytest.fixture
def mesh(tmp_path):
    """Make a mesh of this one process."""
    distributed = torch.distributed
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/init", rank=0, world_size=1
    )
    from torch.distributed.device_mesh import init_device_mesh

    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


@pytest.mark.parametrize("all_of_them", [True, False])
def test_sharded_parameters_are_refused(all_of_them, mesh, tmp_path, net):
    """A shard's norm is not the gradient's; the message names parameter, kind and way out."""
    from torch.distributed.tensor import Shard, distribute_module, distribute_tensor

    model = net()
    if all_of_them:
        model = distribute_module(model, mesh)
        name = "0.weight"
    else:
        model[2].weight = nn.Parameter(distribute_tensor(model[2].weight.data, mesh, [Shard(0)]))
        name = "2.weight"
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(NotImplementedError, match=rf"'{name}' is sharded \(DTensor\)"):
        GradientRecorder(model, optimizer, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
    assert optimizer._optimizer_step_post_hooks == {}


def test_an_unsharded_model_in_a_process_group_is_recorded(mesh, tmp_path, net):
    """A process group alone is no reason to refuse."""
    assert mesh.size() == 1
    model = nn.parallel.DistributedDataParallel(net())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GradientRecorder(model, optimizer, tmp_path / "mine"):
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
    assert f"{GRAD_NORM}0.weight" in open_run(tmp_path / "mine").series
