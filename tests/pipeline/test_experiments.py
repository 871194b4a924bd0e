"""The experiments: the original's settings, reproducible, on embedded digits or MNIST."""

import gzip
import json
import struct
import subprocess
import sys
import time
import tomllib
from hashlib import sha256

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from epochord.pipeline.experiments import EXPERIMENTS
from epochord.pipeline.experiments.datasets import (
    DIGITS,
    DataError,
    load_digits_as_mnist,
    load_mnist,
)
from epochord.pipeline.experiments.gradient_norms import Net, _batches, train
from epochord.pipeline.experiments.settings import Recording
from epochord.runlog import Run, open_run


def record(directory, name: str = "sgd", **settings) -> Run:
    recording = Recording(EXPERIMENTS[name], directory, **settings)
    train(recording, load_digits_as_mnist(), lambda done, loss: None)  # noqa: ARG005
    return open_run(directory)


def test_the_embedded_digits_have_mnists_shape_and_normalisation():
    """20 × 20 pixels of digit in a black frame of four."""
    images, digits = load_digits_as_mnist().tensors
    assert images.shape == (1797, 1, 28, 28)
    black = (0 - 0.1307) / 0.3081
    frame = torch.ones(28, 28, dtype=torch.bool)
    frame[4:24, 4:24] = False
    assert torch.allclose(images[:, 0, frame], torch.tensor(black))
    assert images.max() <= (1 - 0.1307) / 0.3081 + 1e-6
    assert np.bincount(digits).min() > 170  # all ten digits, about equally often


def test_the_embedded_digits_are_scikit_learns():
    """To the bit, so that a training on them is the same; SOURCE.toml vouches for the file."""
    theirs = load_digits()
    scans = torch.from_numpy(theirs.images).float().unsqueeze(1) / 16
    images = torch.nn.functional.interpolate(scans, size=(20, 20), mode="bilinear")
    images = (torch.nn.functional.pad(images, (4, 4, 4, 4)) - 0.1307) / 0.3081
    ours = load_digits_as_mnist().tensors
    assert torch.equal(ours[0], images)
    assert torch.equal(ours[1], torch.from_numpy(theirs.target))
    source = tomllib.loads(DIGITS.with_name("SOURCE.toml").read_text())
    assert source["sha256"] == {DIGITS.name: sha256(DIGITS.read_bytes()).hexdigest()}
    assert "CC BY 4.0" in source["licence"]


def test_batches_go_on_into_the_next_epoch_and_leave_the_short_one_out():
    """1,797 images are 179 batches of 10 or 7 of 256."""
    dataset = load_digits_as_mnist()
    for size, an_epoch in ((10, 179), (256, 7)):
        batches = _batches(dataset, size, seed=0)
        taken = [next(batches) for _ in range(an_epoch + 2)]
        assert [epoch for epoch, _ in taken] == [0] * an_epoch + [1, 1]
        assert {len(images) for _, (images, _) in taken} == {size}
        first, again = taken[0][1][0], taken[an_epoch][1][0]
        assert not torch.equal(first, again)  # reshuffled


def test_the_network_is_the_originals():
    """Two convolutions, two linear layers, 431,080 parameters, log-probabilities out."""
    model = Net()
    assert [name for name, _ in model.named_children()] == ["conv1", "conv2", "fc1", "fc2"]
    assert sum(p.numel() for p in model.parameters()) == 431_080
    assert torch.allclose(model(torch.zeros(2, 1, 28, 28)).exp().sum(1), torch.ones(2))


def test_equal_seeds_give_equal_logs_and_other_seeds_do_not(tmp_path):
    """Only dates and wall times differ."""
    first = record(tmp_path / "a", steps=12)
    assert record(tmp_path / "b", steps=12).log_hash() == first.log_hash()
    assert record(tmp_path / "c", steps=12, format="tensorboard").log_hash() == first.log_hash()
    assert record(tmp_path / "d", steps=12, seed=1).log_hash() != first.log_hash()


def test_the_log_holds_the_norms_of_an_independent_training(tmp_path):
    """A bare loop, written down again here, has the same gradients."""
    run = record(tmp_path / "a", steps=5)
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    images, digits = load_digits_as_mnist().tensors
    order = torch.Generator().manual_seed(0)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images, digits), 10, shuffle=True, generator=order
    )
    for step, (x, y) in zip(range(5), loader, strict=False):
        optimizer.zero_grad()
        loss = torch.nn.functional.nll_loss(model(x), y)
        loss.backward()
        optimizer.step()
        assert run["loss"].values[step] == np.float32(loss.item())
        for name, parameter in model.named_parameters():
            norm = parameter.grad.double().norm().item()
            assert run[f"grad_norm/{name}"].values[step] == pytest.approx(norm, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", (0.3, 30)),
        ("sgd-lr0.1", (0.05, 30)),
        ("adam", (5, 500)),
    ],
)
def test_the_calm_settings_stay_in_the_range_of_the_original(tmp_path, name, expected):
    """The largest norm of any layer's weights over 201 batches."""
    run = record(tmp_path / name, name)
    assert run.metadata.status == "finished"
    norms = np.stack([run[f"grad_norm/{layer}.weight"].values for layer in Net()._modules])
    assert norms.shape == (4, 201)
    assert expected[0] < norms.max() < expected[1]


@pytest.mark.parametrize(("name", "peak"), [("sgd-lr1", 1e3), ("sgd-lr1-bs256", 1e3)])
def test_the_large_learning_rate_explodes_and_dies(tmp_path, name, peak):
    """Norms grow beyond all measure and end in zeros or NaN."""
    run = record(tmp_path / name, name, steps=60)
    norms = np.stack([run[f"grad_norm/{layer}.weight"].values for layer in Net()._modules])
    assert np.nanmax(norms[np.isfinite(norms)]) > peak
    last = norms[:, -1]
    assert (~np.isfinite(last) | (last < 10)).any()


def idx(array: np.ndarray) -> bytes:
    """Write an array in MNIST's file format (unsigned bytes)."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def test_mnist_is_found_where_it_lies(tmp_path, real_data):
    """Real images in MNIST's own files, loaded by torchvision without a network."""
    raw = real_data / "mnist" / "MNIST" / "raw"
    images, digits = next(raw.glob("t10k-images*")), next(raw.glob("t10k-labels*"))
    opened = gzip.open if images.suffix == ".gz" else open
    with opened(images, "rb") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)[:500]
    with opened(digits, "rb") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)[:500]
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for split in ("train", "t10k"):
        (folder / f"{split}-images-idx3-ubyte").write_bytes(idx(pixels))
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(idx(labels))
    dataset = load_mnist(tmp_path)
    loaded, targets = dataset.tensors
    expected = (pixels / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(loaded[:, 0].numpy(), expected, atol=1e-5)
    assert targets.tolist() == labels.tolist()
    recording = Recording(EXPERIMENTS["sgd"], tmp_path / "run", data="mnist", steps=3)
    train(recording, dataset, lambda done, loss: None)  # noqa: ARG005
    assert open_run(tmp_path / "run").metadata.dataset["name"] == "mnist"


def test_mnist_without_a_network_names_the_remedy_at_once(tmp_path, monkeypatch):
    """No address answers: one line, in seconds."""
    import torchvision.datasets

    closed = ["http://127.0.0.1:9/"]  # the discard port: refused at once
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", closed)
    began = time.monotonic()
    with pytest.raises(DataError, match=r"could not be downloaded .*--data digits") as caught:
        load_mnist(tmp_path)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 20


def epochord(folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "epochord", "record", "sgd", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_recording_again_does_nothing_replaces_or_refuses(tmp_path, write_run):
    """Equal settings: nothing to do. Others: only with --overwrite. A stranger's run: never."""
    first = epochord(tmp_path, "--steps", "3")
    assert (first.returncode, first.stdout) == (0, "runs/sgd\n")
    again = epochord(tmp_path, "--steps", "3")
    assert (again.returncode, again.stdout) == (0, "runs/sgd\n")
    assert "nothing to do" in again.stderr
    refused = epochord(tmp_path, "--steps", "4")
    assert refused.returncode == 1
    assert "(steps 3, not 4); replace it with --overwrite" in refused.stderr
    assert refused.stderr.count("\n") == 1
    (tmp_path / "runs" / "sgd" / "notes.txt").write_text("mine")
    replaced = epochord(tmp_path, "--steps", "4", "--overwrite")
    assert replaced.returncode == 0
    assert "replaces an earlier recording (steps 3, not 4)" in replaced.stderr
    assert open_run(tmp_path / "runs" / "sgd").steps.tolist() == [0, 1, 2, 3]
    assert (tmp_path / "runs" / "sgd" / "notes.txt").read_text() == "mine"
    stranger = write_run(tmp_path / "runs" / "other", {"loss": [1.0]})
    kept = epochord(tmp_path, "--out", str(stranger), "--overwrite")
    assert kept.returncode == 1
    assert open_run(stranger)["loss"].values.tolist() == [1.0]
    about = json.loads((tmp_path / "runs" / "sgd" / "run.json").read_text())
    assert about["hyperparameters"]["steps"] == 4


def test_what_cannot_be_recorded_does_not_cost_what_was(tmp_path):
    """The earlier recording goes only when the data are there."""
    assert epochord(tmp_path, "--steps", "3").returncode == 0
    (tmp_path / "data" / "MNIST" / "raw").mkdir(parents=True)
    for split in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (tmp_path / "data" / "MNIST" / "raw" / f"{split}-{kind}-ubyte").write_bytes(b"x" * 40)
    failed = epochord(tmp_path, "--steps", "3", "--data", "mnist", "--overwrite")
    assert failed.returncode == 1
    assert "MNIST/raw: the files there are damaged" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert open_run(tmp_path / "runs" / "sgd").metadata.status == "finished"
