"""The examples are as short as they say; that they run is tested where they stand."""

import ast
import re
from pathlib import Path

import epochord

SCRIPT = Path(__file__).parents[1] / "docs" / "examples" / "script.md"
SECTIONS = re.split(r"^## \d+\. ", SCRIPT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def test_ten_things_take_at_most_three_lines_each():
    """Not counting what all of them import."""
    assert len(SECTIONS) == 10
    for section in SECTIONS:
        (code,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
        assert len([line for line in code.splitlines() if line.strip()]) <= 3, section


def test_what_is_used_of_the_public_face_is_in_it():
    """As code and in the sentences around it."""
    for section in SECTIONS:
        for name in re.findall(r"\bep\.(\w+)", section):
            assert name in epochord.__all__
        for code in re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL):
            ast.parse(code)
