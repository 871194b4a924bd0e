"""The original experiment on ensembles: networks with fixed random priors, trained at once.

After Christian Perone, "Randomized prior functions in PyTorch" (2019), and
Osband et al., "Randomized Prior Functions for Deep Reinforcement Learning" (2018):
member k predicts Q_k(x) = f_k(x) + β·p_k(x), of which only f_k is trained.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import nn

from epochord.pipeline.experiments.ensemble_settings import (
    DATASET,
    LEARNING_RATE,
    EnsembleRecording,
    Setting,
    bootstrap,
    grid,
    held_out_data,
    training_data,
)
from epochord.recorders import EnsembleRecorder

__all__ = [
    "MLP",
    "JointTraining",
    "ModelWithPrior",
    "SinePrior",
    "StackedMLP",
    "make_members",
    "train",
]

Progress = Callable[[int, float], None]

UNITS = 20  # of each hidden layer
# Inputs are taken in pieces of so many points: their activations stay in the cache, and
# below the size for which malloc fetches fresh pages each time.
PIECE = 150

# Klambauer et al., "Self-Normalizing Neural Networks" (2017)
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


class MLP(nn.Module):
    """Three linear layers, 1-20-20-1, with SELU between them.

    Weights are Glorot's uniform ones and biases zero, the usual meaning of "Glorot".
    The original does not say more; of uniform or normal weights with zero or PyTorch's
    biases, these come closest to its spread: mean standard deviation 1.15 inside
    the data and 2.62 outside, for ``prior-bootstrap`` over eight seeds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Linear(1, UNITS)
        self.l2 = nn.Linear(UNITS, UNITS)
        self.l3 = nn.Linear(UNITS, 1)
        for layer in (self.l1, self.l2, self.l3):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return f(x) [shape=(points, 1)] at inputs [shape=(points, 1)]."""
        x = selu(self.l1(inputs))
        x = selu(self.l2(x))
        outputs: torch.Tensor = self.l3(x)
        return outputs


def selu(x: torch.Tensor) -> torch.Tensor:
    """Return SELU (Klambauer et al., 2017); to within rounding `torch.nn.functional.selu`.

    That one is built on expm1, which can take ten times as long as exp on the CPU: most
    of the time that it takes to ask forty members at hundreds of points.
    """
    if torch.is_grad_enabled():  # then there are few points, and its gradient is the faster
        return nn.functional.selu(x)
    curved = x.relu().add_(x.clamp(max=0).exp_(), alpha=SELU_ALPHA)
    return curved.sub_(SELU_ALPHA).mul_(SELU_SCALE)


class SinePrior(nn.Module):
    """The fixed function sin(3x)."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return sin(3x), shaped as the inputs."""
        return torch.sin(3 * inputs)


class ModelWithPrior(nn.Module):
    """A model to be trained plus a prior that is not: Q = f + β·p.

    Parameters
    ----------
    base_model : MLP
        f.
    prior_model : torch.nn.Module
        p; it gets no gradient.
    prior_scale : float
        β.
    """

    def __init__(self, base_model: MLP, prior_model: nn.Module, prior_scale: float = 1.0) -> None:
        super().__init__()
        self.base_model = base_model
        self.prior_model = prior_model.requires_grad_(False)
        self.prior_scale = prior_scale

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return Q(x) [shape=(points, 1)] at inputs [shape=(points, 1)]."""
        with torch.no_grad():
            prior = self.prior_model(inputs)
        outputs: torch.Tensor = self.base_model(inputs) + self.prior_scale * prior
        return outputs


def make_members(
    setting: Setting, members: int, *, prior_scale: float = 1.0, seed: int = 0
) -> list[ModelWithPrior] | list[MLP]:
    """Make untrained members; torch's random numbers go on as if there had been none.

    Equal seeds give equal trainable networks in all settings.

    Parameters
    ----------
    setting : Setting
        Which prior they have.
    members : int
        How many.
    prior_scale : float
        β.
    seed : int
        For all weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bases = [MLP() for _ in range(members)]
        if setting.prior is None:
            return bases
        prior = MLP if setting.prior == "MLP" else SinePrior
        return [ModelWithPrior(base, prior(), prior_scale) for base in bases]


class StackedMLP(nn.Module):
    """Many `MLP` evaluated at once: one batched matrix product a layer.

    Parameters
    ----------
    models : sequence of MLP
        Their weights are copied.
    """

    def __init__(self, models: Sequence[MLP]) -> None:
        super().__init__()
        layers = [[model.l1, model.l2, model.l3] for model in models]
        columns = list(zip(*layers, strict=True))
        self.weights = nn.ParameterList(
            torch.stack([layer.weight.detach() for layer in column]) for column in columns
        )
        self.biases = nn.ParameterList(
            torch.stack([layer.bias.detach().unsqueeze(1) for layer in column])
            for column in columns
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return f [shape=(members, points)] at inputs [shape=(points, 1)]."""
        first, *others = zip(self.weights, self.biases, strict=True)
        x = first[0] * inputs.T + first[1]  # units × points; of one input, no matrix product
        for weight, bias in others:
            x = torch.baddbmm(bias, weight, selu(x))
        squeezed: torch.Tensor = x.squeeze(1)
        return squeezed


class JointTraining:
    """The members of an ensemble, trained at once, each as if it were alone.

    Adam treats every number by itself, so one Adam on the stacked weights is one a member.

    Parameters
    ----------
    members : sequence of ModelWithPrior, or of MLP
        As they are at the start; their weights are copied.
    x : torch.Tensor [shape=(points, 1)]
        Training inputs.
    y : torch.Tensor [shape=(points,)]
        And their targets.
    lr : float
        Adam's learning rate.
    """

    def __init__(
        self,
        members: Sequence[ModelWithPrior] | Sequence[MLP],
        x: torch.Tensor,
        y: torch.Tensor,
        *,
        lr: float = LEARNING_RATE,
    ) -> None:
        self._trained = StackedMLP([_base_of(member) for member in members])
        with_prior = [member for member in members if isinstance(member, ModelWithPrior)]
        self._priors = [member.prior_model for member in with_prior]
        self._scales = x.new_tensor([[member.prior_scale] for member in with_prior])
        self._x, self._y = x, y
        # Priors are fixed: they are evaluated once at each of the few inputs that there
        # are.  A tensor's hash is its identity, so these are told apart by that.
        self._prior_at = lru_cache(maxsize=4)(self._evaluate_prior)
        self._optimizer = torch.optim.Adam(self._trained.parameters(), lr, fused=True)

    def losses(self, indices: torch.Tensor | None = None) -> torch.Tensor:
        """Return each member's mean squared error [shape=(members,)].

        Parameters
        ----------
        indices : torch.Tensor [shape=(members, draws), int64], optional
            Which of the data each member is trained on; by default on all of them.
        """
        errors = (self.predict(self._x) - self._y).square()
        return (errors if indices is None else errors.gather(1, indices)).mean(1)

    def step(self, losses: torch.Tensor) -> None:
        """Do one step for all members, down the gradients of their losses."""
        self._optimizer.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()

    def predict(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return Q [shape=(members, points)] at inputs [shape=(points, 1)]."""
        pieces = torch.split(inputs, PIECE)
        trained = torch.cat([self._trained(piece) for piece in pieces], dim=1)
        if not self._priors:
            return trained
        return trained + self._scales * self.prior(inputs)

    def prior(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return p [shape=(members, points)], without β, at inputs [shape=(points, 1)]."""
        return self._prior_at(inputs)

    def _evaluate_prior(self, inputs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.stack([prior(inputs).squeeze(-1) for prior in self._priors])


def train(
    recording: EnsembleRecording, progress: Progress, *, dtype: torch.dtype = torch.float32
) -> None:
    """Train an ensemble and record it before the first step and after each.

    Parameters
    ----------
    recording : EnsembleRecording
        The setting, and where and how to record it.
    progress : callable
        Called after each epoch with the number of epochs done and the mean loss.
    dtype : torch.dtype
        Of weights and data.
    """
    setting, scale = recording.setting, recording.prior_scale
    members = make_members(setting, recording.members, prior_scale=scale, seed=recording.seed)
    for member in members:
        member.to(dtype)
    data = training_data()
    x, y = (torch.as_tensor(values).to(dtype) for values in data)
    training = JointTraining(members, x.unsqueeze(1), y)
    drawn = bootstrap(recording.members, recording.seed) if setting.bootstrap else None
    indices = None if drawn is None else torch.as_tensor(drawn)
    recorder = EnsembleRecorder(
        training.predict,
        recording.directory,
        grid=torch.as_tensor(grid()).to(dtype),
        data=data,
        held_out=held_out_data(),
        indices=drawn,
        prior=training.prior if setting.prior else None,
        prior_scale=scale,
        every=recording.every,
        format=recording.format,
        half=recording.half,
        overwrite=True,  # of this experiment (`pipeline.recording` has looked)
        on_error="raise",
        seed=recording.seed,
        hyperparameters=recording.hyperparameters,
        dataset=DATASET,
    )
    with _one_thread(), recorder:
        for epoch in range(recording.epochs + 1):
            losses = training.losses(indices)
            recorder.record(losses)
            if epoch < recording.epochs:
                training.step(losses)
            progress(epoch, losses.mean().item())


@contextmanager
def _one_thread() -> Iterator[None]:
    # The networks are so small that a second thread gains nothing, and where cores are
    # shared the two wait for each other: up to twenty times as long.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _base_of(member: ModelWithPrior | MLP) -> MLP:
    return member.base_model if isinstance(member, ModelWithPrior) else member
