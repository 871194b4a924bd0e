"""A Trainer's log history is read as the json module reads it."""

import json
import math

import pytest

from epochord.runlog.formats import huggingface, recognise

ENTRIES = [
    {"epoch": 0.5, "loss": 0.5, "grad_norm": math.nan, "step": 10},
    {"epoch": 0.5, "eval_loss": 0.25, "eval_by": {"en": 0.5, "de": None}, "step": 10},
    {"epoch": 1.0, "loss": 0.125, "best": True, "mode": "min", "step": 20},
    {"train_runtime": 12.5},
]


def test_a_real_state_equals_the_json_module(real_data, points):
    """Every number of a real history is a point at its entry's step."""
    path = real_data / "other" / "trainer_state.json"
    expected = {}
    for entry in json.loads(path.read_text())["log_history"]:
        for key in entry.keys() - {"step"}:
            expected.setdefault(key, []).append((entry["step"], entry[key]))
    contents = huggingface.read(path)
    assert points(contents) == expected
    assert contents.notes == ()


def test_the_checkpoint_and_its_file_are_one_log(save, points):
    """Validation and training share steps; what is no number, or has no step, is counted."""
    file = save(json.dumps({"log_history": ENTRIES}), "checkpoint-20/trainer_state.json")
    for path in (file, file.parent):
        assert recognise(path) is huggingface
        contents = huggingface.read(path)
        assert repr(points(contents)) == repr(
            {
                "epoch": [(10, 0.5), (10, 0.5), (20, 1.0)],
                "loss": [(10, 0.5), (20, 0.125)],
                "grad_norm": [(10, math.nan)],
                "eval_loss": [(10, 0.25)],
                "eval_by/en": [(10, 0.5)],
            }
        )
        assert contents.notes == ()
        assert contents.files[0].skipped == {"row without a step": 1}
        assert contents.files[0].others == {"bool column": 1, "text column": 1}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("trainer_state.json", "", True),
        ("renamed.json", '{"best_metric": null, "log_history": []}', True),
        ("renamed.json", '{"history": []}', False),
        ("renamed.txt", '{"log_history": []}', False),
    ],
)
def test_a_renamed_file_is_known_by_its_history(save, name, content, expected):
    """People download states under names of their own."""
    assert huggingface.matches(save(content, name)) is expected


def test_a_folder_in_memory(memory, points):
    """What fsspec opens is read as from disk."""
    (memory / "trainer_state.json").write_text(json.dumps({"log_history": ENTRIES}))
    assert recognise(memory) is huggingface
    assert points(huggingface.read(memory))["loss"] == [(10, 0.5), (20, 0.125)]
