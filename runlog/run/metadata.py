"""What a run is, as `run.json` says it: settings, layers, status, versions."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from epochord.runlog.atomic import write_text
from epochord.runlog.errors import LogError

__all__ = [
    "RUN_JSON",
    "SCHEMA_VERSION",
    "Format",
    "Hole",
    "Layer",
    "Parameter",
    "RunMetadata",
    "Status",
]

RUN_JSON = "run.json"
SCHEMA_VERSION = 1

_LAYERS = "\0layers"  # stands where they will

Status = Literal["running", "finished", "failed", "unknown"]
Format = Literal["parquet", "tensorboard", "both"]


@dataclass(frozen=True)
class Parameter:
    """One parameter tensor of a layer."""

    name: str
    shape: tuple[int, ...] = ()
    trainable: bool = True

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """A module that owns parameters, under its name in the model."""

    name: str
    kind: str = ""
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True)
class Hole:
    """Steps of which something could not be recorded, and why."""

    first: int
    last: int
    reason: str

    def __str__(self) -> str:
        one = self.first == self.last
        steps = f"step {self.first}" if one else f"steps {self.first} to {self.last}"
        return f"{steps} could not be recorded ({self.reason})"


@dataclass(frozen=True)
class RunMetadata:
    """The contents of `run.json`.

    Parameters
    ----------
    name : str
        The run's name.
    status : {"running", "finished", "failed", "unknown"}
        ``running`` until the recorder is closed, so a run that was killed
        keeps it; ``unknown`` for logs that do not say.
    error : str, optional
        Why a failed run failed.
    started, finished : str, optional
        ISO 8601, UTC.
    seed : int, optional
        What the random numbers were seeded with.
    format : str
        How the log was written: parquet, tensorboard or both; empty for logs
        that others wrote.
    every : int
        Gradient norms were measured at every so many steps.
    steps : int, optional
        How many steps were done, measured or not; known once a run has ended.
    hyperparameters, dataset, versions : mapping
        Plain JSON values; `dataset` names its source.
    layers : sequence of Layer
        In registration order, with their parameters.
    holes : sequence of Hole
        What was lost while recording, in the order of its steps.
    unknown : mapping
        Fields that this version does not know; they are written back.
    """

    name: str
    status: Status = "unknown"
    error: str | None = None
    started: str | None = None
    finished: str | None = None
    seed: int | None = None
    format: str = ""
    every: int = 1
    steps: int | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    dataset: Mapping[str, Any] = field(default_factory=dict)
    layers: Sequence[Layer] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    holes: Sequence[Hole] = ()
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def with_hole(self, hole: Hole) -> Self:
        """Return a copy with one more hole, which goes on with the last one where it can."""
        *before, last = self.holes or (None,)
        if last and last.reason == hole.reason and last.first <= hole.first <= last.last + 1:
            hole = Hole(last.first, max(last.last, hole.last), hole.reason)
            return self.replace(holes=(*before, hole))
        return self.replace(holes=(*self.holes, hole))

    def to_json(self) -> str:
        """Return the text of `run.json`."""
        document: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
        document |= {f.name: getattr(self, f.name) for f in fields(self)}
        document |= {"layers": [_layer_to_dict(layer) for layer in self.layers]}
        document |= {"holes": [asdict(hole) for hole in self.holes]}
        document |= document.pop("unknown")
        # ASCII, since names of files need not be valid in any encoding.  A line a layer: indenting
        # thousands of them takes longer than writing the log.
        layers = ",\n    ".join(map(json.dumps, document["layers"]))
        text = json.dumps(document | {"layers": _LAYERS}, indent=2, default=str) + "\n"
        return text.replace(json.dumps(_LAYERS), f"[\n    {layers}\n  ]" if layers else "[]", 1)

    @classmethod
    def from_json(cls, text: str, *, where: str) -> Self:
        """Parse the text of `run.json`.

        Parameters
        ----------
        text : str
            The JSON document.
        where : str
            The file, for messages.

        Raises
        ------
        LogError
            If a later version of Epochord wrote it.
        ValueError, TypeError, KeyError
            If the document is broken; the log beside it may still be whole.
        """
        document = dict(json.loads(text))
        version = document.pop("schema_version")
        if version > SCHEMA_VERSION:
            raise LogError(
                f"{where}: written by a newer Epochord (schema_version {version}, this one reads "
                f"up to {SCHEMA_VERSION}); upgrade Epochord to read it"
            )
        known = {f.name for f in fields(cls)}
        values = {key: document.pop(key) for key in list(document) if key in known}
        values["layers"] = tuple(_layer_from_dict(layer) for layer in values.get("layers", ()))
        values["holes"] = tuple(
            Hole(int(hole["first"]), int(hole["last"]), str(hole["reason"]))
            for hole in values.get("holes", ())
        )
        for name in ("hyperparameters", "dataset", "versions"):
            if not isinstance(values.get(name, {}), dict):
                raise TypeError(f"{name} is no object")
        return cls(**values, unknown=document)

    def save(self, directory: Path) -> None:
        """Replace `run.json` in the run's directory, whole or not at all."""
        write_text(directory / RUN_JSON, self.to_json())


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    parameters = [
        {"name": p.name, "shape": list(p.shape), "size": p.size, "trainable": p.trainable}
        for p in layer.parameters
    ]
    return {"name": layer.name, "kind": layer.kind, "parameters": parameters}


def _layer_from_dict(document: Mapping[str, Any]) -> Layer:
    parameters = tuple(
        Parameter(p["name"], tuple(p["shape"]), p.get("trainable", True))
        for p in document["parameters"]
    )
    return Layer(document["name"], document.get("kind", ""), parameters)
