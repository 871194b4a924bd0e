"""Optional packages: what lacks one says in a line what to install, from where this code came.

A name alone could bring somebody else's package, so the command names a source that exists: the
checkout, or what the installed distribution says that it was installed from (`direct_url.json`,
PEP 610).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from epochord.runlog.errors import EpochordError

__all__ = ["MissingPackageError", "install_command", "needing"]

NAME = "epochord"
ROOT = Path(__file__).resolve().parents[1]  # of the checkout, where this is one


class MissingPackageError(EpochordError, ImportError):
    """An optional package is not installed."""


@contextmanager
def needing(purpose: str, extra: str) -> Iterator[None]:
    """Import optional packages; the lack of one is a line with the remedy.

    Parameters
    ----------
    purpose : str
        What needs them, as the subject of a sentence.
    extra : str
        Of `pyproject.toml`: what brings them.

    Raises
    ------
    MissingPackageError
        If a package that is not ours is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).partition(".")[0]
        if package == NAME:
            raise
        raise MissingPackageError(
            f"{purpose} needs {package}, which is not installed: {install_command(extra)}",
            name=package,
        ) from error


def install_command(extra: str) -> str:
    """Say how to add an extra to this installation.

    Parameters
    ----------
    extra : str
        Such as ``video``.
    """
    wanted = f"{NAME}[{extra}]"
    source = _direct_url()
    if _is_checkout(ROOT):
        if source.get("dir_info", {}).get("editable") and _path(source) == ROOT:
            return f'pip install --editable "{ROOT}[{extra}]"'
        return f'pip install "{wanted} @ {ROOT.as_uri()}"'
    if url := _url(source):
        return f'pip install "{wanted} @ {url}"'
    return f"repeat the command that installed {NAME}, with {wanted} in place of {NAME}"


def _is_checkout(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file() and (folder / NAME / "__init__.py").is_file()


def _direct_url() -> dict[str, Any]:
    """Return where the installed distribution came from; nothing if that is not known."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        text = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return {}
    return dict(json.loads(text)) if text else {}


def _path(source: dict[str, Any]) -> Path | None:
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    parts = urlsplit(source.get("url", ""))
    return Path(url2pathname(parts.path)).resolve() if parts.scheme == "file" else None


def _url(source: dict[str, Any]) -> str:
    """Return what pip takes behind the ``@``; nothing if the file or folder has gone."""
    path, version_control = _path(source), source.get("vcs_info")
    if path and not version_control:
        return path.as_uri() if path.exists() else ""
    url = str(source.get("url", ""))
    if version_control:
        url = f"{version_control['vcs']}+{url}@{version_control['commit_id']}"
    subfolder = source.get("subdirectory")
    return f"{url}#subdirectory={subfolder}" if subfolder else url
