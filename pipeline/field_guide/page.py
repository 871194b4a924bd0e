"""The field guide as one HTML file: texts, sounds, pictures, and what `describe` says."""

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

from epochord.pipeline.console import bar
from epochord.pipeline.experiments.field_guide import TRAININGS
from epochord.pipeline.field_guide.clips import clips
from epochord.pipeline.field_guide.curves import picture
from epochord.pipeline.field_guide.entries import SEEDS, Entry, entries
from epochord.pipeline.field_guide.recordings import recorded
from epochord.renderers.findings import describe
from epochord.renderers.page.document import base64_of, hashes, policy
from epochord.renderers.results.output import writing
from epochord.runlog import Run

__all__ = ["write_guide"]

MOST_SAID = 4  # sentences of a run; `describe` has the others
HEARD = {"what": "What it is", "why": "Why it sounds so", "do": "What to do"}


def write_guide(runs: Path, path: Path) -> Path:
    """Record what is missing, render it, and write the page.

    Parameters
    ----------
    runs : Path
        The folder of the recordings.
    path : Path
        The page.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    told = entries()
    articles = []
    with bar("field guide", total=len(told)) as progress:
        for done, entry in enumerate(told, start=1):
            articles.append(_article(entry, runs))
            progress.update(done, len(told), entry.title)
    with writing(path) as temporary:
        temporary.write_text(_document(told, articles), encoding="utf-8")
    return path


def _document(told: Sequence[Entry], articles: Sequence[str]) -> str:
    style, script, template = (_static(name) for name in ("page.css", "page.js", "page.html"))
    allowed = {"style-src": hashes([style]), "script-src": hashes([script]), "media-src": "data:"}
    contents = (
        f'<li><a href="#{entry.training}">{html.escape(entry.title)}</a></li>' for entry in told
    )
    return Template(template).substitute(
        policy=html.escape(policy(allowed), quote=True),
        style=style,
        script=script,
        contents="\n".join(contents),
        entries="\n".join(articles),
    )


def _static(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _article(entry: Entry, folder: Path) -> str:
    runs = [recorded(TRAININGS[entry.training], seed, folder) for seed in SEEDS]
    beside = recorded(TRAININGS[entry.beside], SEEDS[0], folder) if entry.beside else None
    heading = html.escape(entry.title)
    texts = (
        f"<h3>{title}</h3><p>{html.escape(getattr(entry, key))}</p>" for key, title in HEARD.items()
    )
    return "\n".join(
        [
            f'<article id="{entry.training}" aria-labelledby="{entry.training}-title">',
            f'<h2 id="{entry.training}-title">{heading}</h2>',
            *_players(entry, runs, beside),
            f"<figure>{picture(runs, beside)}<figcaption>{_caption(beside)}</figcaption></figure>",
            *texts,
            "<h3>Said by <code>epochord describe</code></h3>",
            f"<ul>{''.join(_said(run, seed) for run, seed in zip(runs, SEEDS, strict=True))}</ul>",
            "</article>",
        ]
    )


def _players(entry: Entry, runs: Sequence[Run], beside: Run | None) -> Iterator[str]:
    sounds = clips([*([beside] if beside else []), *runs])
    names = [entry.beside_title.capitalize()] if beside else []
    names += [f"{entry.title}, seed {seed}" for seed in SEEDS]
    yield '<div class="players">'
    for name, sound in zip(names, sounds, strict=True):
        said = html.escape(name, quote=True)
        yield (
            f'<figure><audio controls preload="none" aria-label="{said}" '
            f'src="data:audio/mpeg;base64,{base64_of(sound)}"></audio>'
            f"<figcaption>{said}</figcaption></figure>"
        )
    yield "</div>"
    if beside:
        first = html.escape(f"{names[0]}, then {names[1]}")
        yield f'<p><button type="button">Play {first[0].lower() + first[1:]}</button></p>'


def _caption(beside: Run | None) -> str:
    grey = ", and in grey of the run beside" if beside else ""
    return (
        "Left: the loss of the three runs" + grey + "; dashed, that on held-out data of the first. "
        "Right: gradient norms of the first run by layer. Both over the whole run, on logarithmic "
        "axes."
    )


def _said(run: Run, seed: int) -> str:
    account = describe(run)
    said = [diagnosis.sentence for diagnosis in account.diagnoses]
    said += [finding.sentence for finding in account.findings]
    more = [f"and {len(said) - MOST_SAID} more"] if len(said) > MOST_SAID else []
    text = "; ".join([*said[:MOST_SAID], *more]) or "nothing found"
    return f"<li>Seed {seed}: {html.escape(text)}.</li>"
