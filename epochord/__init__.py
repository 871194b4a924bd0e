"""Epochord: hear your training runs."""

from pathlib import Path

_HERE = Path(__file__).parent
# The rooms are folders at the root of the repository, and links to them lie here. Where a file
# system has no links, git writes a small file in place of each: then the rooms are taken from
# the root of the checkout itself.
if not (_HERE / "runlog").is_dir():
    if not (_HERE.parent / "pyproject.toml").is_file():
        raise ImportError(
            f"{_HERE} was installed from a checkout without symbolic links and holds no code; "
            "install it from a wheel, or in place with: pip install --editable CHECKOUT"
        )
    __path__.append(str(_HERE.parent))
