"""`epochord record benford`: the first digits that a language model expects."""

from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from epochord.pipeline.commands.arguments.parsing import listed
from epochord.pipeline.commands.arguments.results import Overwrite, checked_folder, run_folder
from epochord.pipeline.console import bar, note, result
from epochord.pipeline.folders import RUNS
from epochord.pipeline.language_models import (
    SHIPPED,
    Precision,
    find_model,
    load_model,
    spare_cores,
)
from epochord.runlog.errors import LogError, OutputError, RunExistsError, one_line
from epochord.runlog.extras import needing
from epochord.runlog.words import did_you_mean

__all__ = ["benford"]

DEVICES = ("cpu", "cuda", "mps", "xpu")  # the last three also by number
BASELINES = ("uniform", "random")
NAME = "benford"


def benford(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="A causal language model: a folder, a GGUF file, a package that holds one, or a "
            "name on the hub, such as gpt2-medium.",
        ),
    ] = SHIPPED,
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
    follow: Annotated[
        str,
        typer.Option(
            "--follow",
            metavar="A,B,…",
            help="Beginnings of numbers that count too, such as ' $, about, -'.",
        ),
    ] = "",
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
    followed = [each for each in follow.split(",") if each.strip()]
    settings |= {"model": model, "texts": texts, "followed": followed}
    if not _made(directory, settings, overwrite):
        _record(model, texts, directory, settings, wanted, followed)
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
    model: str,
    texts: list[str],
    out: Path,
    settings: dict[str, Any],
    baselines: list[str],
    follow: list[str],
) -> None:
    source = find_model(model)
    with needing("recording a language model", "lm"):
        import_module("transformers")  # before the network is asked for anything
        from epochord.recorders.first_digits import RANDOM_SEEDS, record_first_digits

        spare_cores()
        loaded = load_model(source, settings["device"], settings["dtype"])
    total = 1 + ("uniform" in baselines) + len(RANDOM_SEEDS) * ("random" in baselines)
    with bar(f"record {NAME}", total=total) as progress:
        try:
            record_first_digits(
                *loaded, texts, out, name=source.name, baselines=baselines, follow=follow,
                hyperparameters=settings, overwrite=True, consume=True,
                progress=lambda done: progress.update(done, total),
            )  # fmt: skip
        except OSError as error:
            raise OutputError(f"{out}: cannot write ({error.strerror or error})") from error
