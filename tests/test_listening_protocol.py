"""The protocol of the listening test: its commands run, and what it says of the program is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

from epochord.pipeline.commands.score_listening_test import PEOPLE, RIGHT
from epochord.renderers.listening.answers import read_key
from epochord.renderers.listening.trainings import ANSWERS

ROOT = Path(__file__).parents[1]
PROTOCOL = (ROOT / "docs" / "listening-test.md").read_text(encoding="utf-8")
MAKE, SCORE = re.findall(r"```sh\nepochord (.*?)\n```", PROTOCOL)


def epochord(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does, in which a star stands for files."""
    return subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m epochord {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_commands_run(tmp_path: Path) -> None:
    """As written: a page and a key, and then, with a file of each of nine people, scores."""
    made = epochord(tmp_path, MAKE)
    assert (made.returncode, len(made.stdout.splitlines())) == (0, 2), made.stderr
    key = read_key(tmp_path / "test" / "listening-test.key.json")
    right = [
        {"clip": clip, "kind": truth.answer, "layer": truth.layer or "all"}
        for clip, truth in key.clips.items()
    ]
    (tmp_path / "answers").mkdir()
    about = {"schema_version": 1, "what": "answers to a listening test", "test": key.test}
    for number in range(PEOPLE):
        text = json.dumps(about | {"person": f"P{number}", "answers": right})
        (tmp_path / "answers" / f"{number}.json").write_text(text)
    done = epochord(tmp_path, SCORE)
    assert done.returncode == 0, done.stderr
    assert f"{PEOPLE} people, 100% right" in done.stderr


def test_what_it_asks_for_is_what_is_counted() -> None:
    """People, share, and number of answers are those of the program."""
    words = {8: "eight"}
    assert f"at least {words[PEOPLE]} people" in PROTOCOL
    assert f"At least {RIGHT:.0%}".replace("%", " %") in PROTOCOL
    assert f"one of {words[len(ANSWERS)]}" in PROTOCOL
