"""What is no run, or no setting, is refused in one line that says what was expected."""

import re

import numpy as np
import pytest

import epochord as ep
from epochord.runlog import Run, RunMetadata, Series

STEPS = np.arange(20)
RUN = Run("x", RunMetadata("x"), {"loss": Series("loss", STEPS, np.linspace(2, 1, 20), STEPS / 10)})
A_RUN = "expected a Run, as epochord.open_run returns it"
RUNS = "expected a list of Run, as epochord.open_run returns each"


CALLS = [
        (lambda _: ep.sound("x.csv"), f"run is a str; {A_RUN}"),
        (lambda _: ep.sound([RUN, RUN]), f"run is a list; {A_RUN}"),
        (lambda _: ep.sound(None), f"run is None; {A_RUN}"),
        (lambda _: ep.sound(RUN["loss"]), f"run is a Series; {A_RUN}"),
        (lambda _: ep.sound(RUN, "sequence"), "settings is a str; expected AudioSettings, or"),
        (lambda out: ep.render_audio("x.csv", out), f"run is a str; {A_RUN}"),
        (lambda out: ep.render_benford("x.csv", out), f"run is a str; {A_RUN}"),
        (lambda _: ep.findings("x.csv"), f"run is a str; {A_RUN}"),
        (lambda _: ep.describe([RUN]), f"run is a list; {A_RUN}"),
        (lambda _: ep.spectrogram([RUN]), "source is a list; expected a Run, a Sound, or the"),
        (lambda _: ep.compare(["a.wav"]), f"runs[0] is a str; {A_RUN}"),
        (lambda _: ep.compare(RUN), f"runs is a Run; {RUNS}"),
        (lambda out: ep.compare_runs([RUN, None], out), f"runs[1] is None; {A_RUN}"),
        (lambda out: ep.compare_runs("ab", out), f"runs is a str; {RUNS}"),
        (lambda out: ep.render_page("x.csv", out), f"runs is a str; {RUNS}"),
        (lambda out: ep.render_page([RUN["loss"]], out), f"runs[0] is a Series; {A_RUN}"),
        (
            lambda out: ep.render_ensemble(RUN, out),
            "ensembles is a Run; expected an Ensemble, as epochord.open_ensemble returns it",
        ),
        (
            lambda _: ep.sound(RUN, duraton=2),
            "'duraton' is no setting; did you mean 'duration'? help(epochord.AudioSettings) has",
        ),
        (lambda _: ep.AudioSettings().but(tag="a"), "'tag' is no setting; did you mean 'tags'?"),
        (lambda _: ep.sound(RUN, layers=3), "layers is an int; expected a text or a list of"),
        (lambda _: ep.sound(RUN, tags=("a", 3)), "tags[1] is an int; expected a text"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), CALLS, ids=range(len(CALLS)))
def test_an_argument_of_another_kind_is_a_type_error(call, said, tmp_path):
    """Before anything is read or written."""
    with pytest.raises(TypeError, match=f"^{re.escape(said)}") as caught:
        call(tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": "1:5"}, "steps is '1:5'; expected (first, before), such as (100, 200) or"),
        ({"steps": 5}, "steps is 5; expected (first, before)"),
        ({"steps": (1, 2, 3)}, "steps is (1, 2, 3); expected (first, before)"),
        ({"duration": "2"}, "duration is '2'; expected a number"),
        ({"tone": None}, "tone is None; expected a number"),
        ({"range": 3}, "range is 3; expected [low, high]"),
        ({"legend": 1}, "legend is 1; expected true or false"),
        ({"voicing": None}, "voicing is None; expected text"),
        ({"voices": ("loss",)}, "voices has 'loss'; expected VoiceMapping, such as VoiceMapping("),
        ({"voices": ep.VoiceMapping("loss")}, "voices is a VoiceMapping; expected a tuple of"),
    ],
)
def test_a_setting_of_another_kind_is_a_value_error(options, said):
    """Whether it is one that a file could hold, or not."""
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        ep.sound(RUN, **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"range": (1, 0)}, "range is 1:0; expected LO:HI with LO < HI"),
        ({"pan": 5}, "pan is 5; expected a tag, or a number from -1 to 1"),
        ({"name": None}, "name is None; expected text"),
    ],
)
def test_a_voice_is_checked_when_it_is_made(options, said):
    """Not only when settings take it."""
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        ep.VoiceMapping("loss", **options)


def test_one_text_stands_for_a_list_of_one():
    """It is never taken letter by letter."""
    assert ep.AudioSettings(tags="loss", layers="a") == ep.AudioSettings(
        tags=("loss",), layers=("a",)
    )
    assert RUN.matching("loss") == ["loss"]
    with pytest.raises(ep.LogError, match="has no tag that matches 'lose'; did you mean 'loss'"):
        ep.sound(RUN, tags="lose")


def test_a_source_that_was_found_can_be_opened(write_run, tmp_path):
    """Under the name that it was found by."""
    write_run(tmp_path / "runs" / "a" / "b", {"loss": [1.0, 2.0]})
    (source,) = ep.find_runs(tmp_path / "runs")
    assert ep.open_run(source).name == "a/b"
    assert ep.open_run(source, name="c").name == "c"
    assert ep.open_run(source).log_hash() == source.open().log_hash()


def test_a_run_is_said_without_what_is_not_known():
    """And one is one."""
    assert repr(RUN) == "<Run 'x': 20 steps, 1 tag>"
    assert "unknown" not in RUN._repr_html_()
