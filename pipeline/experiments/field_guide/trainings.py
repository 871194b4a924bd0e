"""The trainings of the field guide, as data; importing this needs no torch.

Each differs from one that goes well in as little as makes it go wrong.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["STEPS", "TRAININGS", "Network", "Training"]

Network = Literal["perceptron", "shallow", "deep", "deep-normalised", "recurrent", "transformer"]

STEPS = 300


@dataclass(frozen=True)
class Training:
    """One small training.

    Parameters
    ----------
    name : str
        What the run is called.
    network : str
        See `networks.make`; the transformer learns text, all others digits.
    optimizer : {"SGD", "Adam"}
        Class in `torch.optim`.
    lr : float
        Learning rate.
    momentum : float
        Of SGD.
    batch_size : int
        Examples a step.
    steps : int
        How many.
    examples : int
        Digits that it learns from.
    wrong_labels : float
        Share of them whose labels are drawn by lot.
    weights : float
        Factor of all initial weights.
    recurrent_weights : float
        Factor of those of them from one time step to the next.
    warm_up : int
        Steps in which the learning rate rises to its value.
    clip : float, optional
        Greatest norm of all gradients together.
    frozen : str
        A layer that has no gradients.
    broken_batch : bool
        Whether the images of one batch come with grey levels 0…16 instead of 0…1.
    loss : {"cross-entropy", "by hand", "squares"}
        Of a softmax; of sigmoids, with a logarithm that can be one of zero; mean square.
    half : bool
        Compute in float16, with a loss scale that doubles every few steps.
    """

    name: str
    network: Network = "perceptron"
    optimizer: Literal["SGD", "Adam"] = "SGD"
    lr: float = 0.1
    momentum: float = 0.0
    batch_size: int = 64
    steps: int = STEPS
    examples: int = 1400
    wrong_labels: float = 0.0
    weights: float = 1.0
    recurrent_weights: float = 1.0
    warm_up: int = 0
    clip: float | None = None
    frozen: str = ""
    broken_batch: bool = False
    loss: Literal["cross-entropy", "by hand", "squares"] = "cross-entropy"
    half: bool = False

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What `run.json` is to say of this training."""
        return {"experiment": f"field-guide-{self.name}", **asdict(self)}


TRAININGS = {
    training.name: training
    for training in (
        Training("healthy"),
        Training("rate-too-low", lr=0.01),
        Training("text", "transformer", lr=0.05, momentum=0.9, batch_size=16),
        Training("rate-too-high", "transformer", lr=0.5, momentum=0.9, batch_size=16),
        Training("vanishing", "deep", weights=0.7),
        Training("normalised", "deep-normalised", weights=0.7),
        Training("exploding", "recurrent", lr=0.08, momentum=0.9, recurrent_weights=1.8),
        Training("clipped", "recurrent", lr=0.08, momentum=0.9, recurrent_weights=1.8, clip=1.0),
        Training("dying-relu", optimizer="Adam", lr=0.3),
        Training("dead-from-the-start", weights=0.0),
        Training("log-of-zero", lr=0.05, momentum=0.9, loss="by hand"),
        Training("broken-batch", lr=0.05, broken_batch=True),
        Training("plateau", weights=0.4),
        Training("overfitting", optimizer="Adam", lr=0.005, examples=100),
        Training("wrong-labels", wrong_labels=0.4),
        Training("batch-1", "shallow", lr=0.01, batch_size=1),
        Training("batch-256", "shallow", lr=0.01, batch_size=256),
        Training("oscillation", "shallow", lr=0.01, momentum=0.99, batch_size=256, loss="squares"),
        Training("steady", "shallow", lr=0.1, momentum=0.9, batch_size=256, loss="squares"),
        Training("no-warm-up", optimizer="Adam", lr=0.02, weights=3.0),
        Training("warm-up", optimizer="Adam", lr=0.02, weights=3.0, warm_up=100),
        Training("frozen", frozen="fc2"),
        Training("overflow", half=True),
    )
}
