"""`epochord record benford`: the first digits that a language model expects."""

import socket
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import typer

from epochord.pipeline.commands.arguments.parsing import listed
from epochord.pipeline.commands.arguments.results import Overwrite, checked_folder, run_folder
from epochord.pipeline.console import bar, note, result
from epochord.pipeline.folders import RUNS
from epochord.runlog.errors import EpochordError, LogError, OutputError, RunExistsError, one_line
from epochord.runlog.extras import needing
from epochord.runlog.words import did_you_mean, plural

if TYPE_CHECKING:
    import torch

__all__ = ["benford"]

Precision = Literal["float32", "bfloat16", "float16"]
DEVICES = ("cpu", "cuda", "mps", "xpu")  # the last three also by number
BASELINES = ("uniform", "random")
NAME = "benford"
CONNECT_TIMEOUT = 5.0  # s


def benford(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="A causal language model: a folder, or a name on the hub.",
        ),
    ] = "gpt2-medium",
    prompt: Annotated[
        str | None,
        typer.Option("--prompt", metavar="TEXT", help="What stands before the number."),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option("--prompts", metavar="FILE", help="A prompt a line.  [default: a dozen]"),
    ] = None,
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline", metavar="A,B,…", help="To compare with: uniform, random, or none."
        ),
    ] = "uniform,random",
    device: Annotated[
        str,
        typer.Option("--device", metavar="DEVICE", help="Where to compute, such as cpu or cuda."),
    ] = "cpu",
    dtype: Annotated[
        Precision, typer.Option("--dtype", help="Precision of the model.")
    ] = "float32",
    out: Annotated[Path | None, run_folder(str(RUNS / NAME))] = None,
    overwrite: Overwrite = False,
) -> None:
    """First digits of the numbers that a language model expects, for Benford's law."""
    if prompt is not None and prompts is not None:
        raise typer.BadParameter("--prompt and --prompts exclude each other; expected one of them")
    wanted = [one for one in listed(baseline) if one != "none"]
    if unknown := next((one for one in wanted if one not in BASELINES), None):
        raise typer.BadParameter(
            f"--baseline is {unknown!r}; expected {', '.join(BASELINES)} or none"
            f"{did_you_mean(unknown, BASELINES)}"
        )
    if device.partition(":")[0] not in DEVICES:
        raise typer.BadParameter(
            f"--device is {device!r}; expected one of {', '.join(DEVICES)}, or such as cuda:1"
            f"{did_you_mean(device, DEVICES)}"
        )
    directory = checked_folder(out or RUNS / NAME)
    texts = [prompt] if prompt is not None else _prompts(prompts)
    settings = {"experiment": NAME, "device": device, "dtype": dtype, "baselines": wanted}
    settings |= {"model": model, "texts": texts}
    if not _made(directory, settings, overwrite):
        _record(model, texts, directory, settings, wanted)
    result(directory)


def _prompts(path: Path | None) -> list[str]:
    shipped = files("epochord.pipeline.experiments").joinpath("prompts.txt")
    try:
        text = (path or shipped).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise LogError(f"{path}: cannot be read ({one_line(error)})") from error
    lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
    if not lines:
        raise LogError(f"{path}: holds no prompt; expected one a line")
    return lines


def _made(directory: Path, settings: dict[str, Any], overwrite: bool) -> bool:
    """Tell whether the recording is there already; refuse to replace what must not be."""
    from epochord.runlog.reading.opening import open_run
    from epochord.runlog.reading.sources import holds_run

    if not (directory.is_dir() and holds_run(directory)):
        return False
    before = open_run(directory).metadata
    there = {key: before.hyperparameters.get(key) for key in settings}
    if there == settings and before.status == "finished":
        note(f"{directory}: was recorded with these settings already; nothing to do")
        return True
    if there["experiment"] != NAME:
        raise RunExistsError(
            f"{directory}: holds a run that is not this experiment's; record elsewhere with --out"
        )
    if not overwrite and before.status == "finished":
        raise RunExistsError(
            f"{directory}: holds another recording ({there['model']}); replace it with "
            "--overwrite or record elsewhere with --out"
        )
    return False


def _record(
    model: str, texts: list[str], out: Path, settings: dict[str, Any], baselines: list[str]
) -> None:
    like_a_path = model.startswith((".", "/", "~")) or model.count("/") > 1
    if like_a_path and not Path(model).is_dir():
        raise EpochordError(f"{model}: no such folder; give a model's folder with --model")
    with needing("recording a language model", "lm"):
        import_module("transformers")  # before the network is asked for anything
        from epochord.recorders.first_digits import RANDOM_SEEDS, record_first_digits

        network, tokenizer = _load(model, settings["device"], settings["dtype"])
    total = 1 + ("uniform" in baselines) + len(RANDOM_SEEDS) * ("random" in baselines)
    with bar(f"record {NAME}", total=total) as progress:
        try:
            record_first_digits(
                network, tokenizer, texts, out, name=Path(model).name, baselines=baselines,
                hyperparameters=settings, overwrite=True,
                progress=lambda done: progress.update(done, total),
            )  # fmt: skip
        except OSError as error:
            raise OutputError(f"{out}: cannot write ({error.strerror or error})") from error


def _load(model: str, device: str, dtype: Precision) -> tuple[Any, Any]:
    """Load a model and its tokenizer, quietly, from a folder or from the hub."""
    place = _device(device)
    folder = Path(model).is_dir()
    # Without a network the hub would be tried again and again, for most of a minute.
    offline = folder or not _hub_answers()
    try:
        network, tokenizer, missing = _read(model, dtype, offline)
    except Exception as error:  # transformers raises whatever its readers do
        why = one_line(error)[:200]
        if folder:
            raise EpochordError(
                f"{model}: no language model that can be loaded ({type(error).__name__}: {why}); "
                "expected a folder with config.json, weights and a tokenizer"
            ) from error
        hub = "the hub cannot be reached" if offline else f"not on the hub either ({why})"
        raise EpochordError(
            f"{model}: no such folder here, and {hub}; give a model's folder with --model"
        ) from error
    if missing:  # they would be random
        raise EpochordError(
            f"{model}: {plural(len(missing), 'weight')} of the model not there, such as "
            f"{missing[0]}; expected all that its config.json asks for"
        )
    return network.to(place), tokenizer


def _read(model: str, dtype: Precision, offline: bool) -> tuple[Any, Any, list[str]]:
    """Read a model and its tokenizer without a sound; also which weights there are not."""
    import huggingface_hub
    import torch
    import transformers

    logs: Any = transformers.logging
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    hub_logs: Any = huggingface_hub.logging
    hub_logs.set_verbosity_error()
    options = {"local_files_only": offline, "trust_remote_code": False}
    tokenizer = transformers.AutoTokenizer.from_pretrained(model, **options)
    models: Any = transformers.AutoModelForCausalLM
    network, loaded = models.from_pretrained(
        model, dtype=getattr(torch, dtype), output_loading_info=True, **options
    )
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
