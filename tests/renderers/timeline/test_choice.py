"""Which series are heard: what a newcomer wants, or what the user asks for."""

import numpy as np
import pytest

from epochord.renderers.timeline.choice import MAX_VOICES, Choice, NothingToHearError, choose
from epochord.runlog import LogError, Run, RunMetadata, Series


def run_of(**lengths: int) -> Run:
    series = {tag: Series(tag, range(n), np.ones(n)) for tag, n in lengths.items()}
    return Run("r", RunMetadata("r"), series)


def names(run: Run, **choice) -> list[str]:
    return [voice.name for voice in choose(run, Choice(**choice)).voices]


@pytest.mark.parametrize(
    ("tags", "heard"),
    [
        (["loss", "grad_norm/a.weight", "lr"], ["a"]),
        (["loss", "train/grad_norm", "lr"], ["train/grad_norm"]),
        (["gradients/dense/kernel", "acc"], ["gradients/dense/kernel"]),
        (["meta/gradient/D/norm/value", "loss"], ["meta/gradient/D/norm/value"]),
        (["lr", "Losses/Value Loss", "val_loss"], ["Losses/Value Loss", "val_loss"]),
        (["epoch", "acc", "reward"], ["acc", "reward"]),
        (["epoch"], ["epoch"]),
    ],
)
def test_gradient_norms_come_before_losses_and_losses_before_the_rest(tags, heard):
    """Whoever gives no option hears something sensible."""
    assert names(run_of(**dict.fromkeys(tags, 5))) == heard


def test_without_norms_and_losses_the_longest_series_are_heard():
    """A tag with a handful of points says little beside one with many."""
    assert names(run_of(a=100, b=3, c=60, d=50)) == ["a", "c"]


def test_globs_choose_and_leave_out_in_the_order_of_the_log():
    """A leading ! leaves out; only such globs leave the sensible choice of the rest."""
    run = run_of(**dict.fromkeys(["b/loss", "a/loss", "a/acc", "lr"], 5))
    assert names(run, tags=("a/*", "lr")) == ["a/loss", "a/acc", "lr"]
    assert names(run, tags=("*", "!a/*")) == ["b/loss", "lr"]
    assert names(run, tags=("!a/*",)) == ["b/loss"]
    with pytest.raises(LogError, match=r"no tag that matches 'x\*'; it has b/loss, a/loss"):
        choose(run, Choice(tags=("x*",)))
    with pytest.raises(LogError, match=r"a/\* !\*loss !\*acc leaves no tag"):
        choose(run, Choice(tags=("a/*", "!*loss", "!*acc")))


def test_a_run_without_measurements_has_nothing_to_hear():
    """It says so, as an error of its own kind."""
    with pytest.raises(NothingToHearError, match="'r' has no measurement at all"):
        choose(run_of(), Choice())


def test_a_layer_is_its_weight_or_all_its_parameters(make_run):
    """A layer without any weight is taken whole."""
    run = make_run({"a.weight": [3.0], "a.bias": [4.0], "b.bias": [1.0]})
    assert [len(v.members) for v in choose(run, Choice()).voices] == [1, 1]
    assert [len(v.members) for v in choose(run, Choice(parameters="all")).voices] == [2, 1]


def test_layers_are_heard_in_the_order_asked_for(make_run):
    """The user's order wins over registration order."""
    run = make_run({"a.weight": [1.0], "b.weight": [2.0], "c.weight": [3.0]})
    assert names(run, layers=("c", "a")) == ["c", "a"]
    with pytest.raises(LogError, match="no layer matches 'd'"):
        choose(run, Choice(layers=("d",)))
    with pytest.raises(LogError, match="'r' has no gradient norms of layers; it has loss"):
        choose(run_of(loss=3), Choice(layers=("a",)))


def test_norms_of_other_writers_are_layers_too():
    """Lightning's and TensorFlow's names of parameters are grouped as ours are."""
    run = run_of(**{"grad_2.0_norm/net.0.weight": 2, "grad_2.0_norm/net.0.bias": 2})
    assert names(run) == ["net.0"]
    run = run_of(**{"G/grad_norm/conv/kernel": 2, "D/grad_norm/conv/kernel": 2})
    assert names(run) == ["G/conv", "D/conv"]


def test_there_are_at_most_twelve_voices_and_it_is_said(make_run):
    """Neighbouring layers are joined; of other tags the longest are heard."""
    norms = {f"block.{n}.weight": [1.0] for n in range(30)}
    chosen = choose(make_run(norms), Choice())
    assert len(chosen.voices) == MAX_VOICES == 12
    assert sum(len(voice.members) for voice in chosen.voices) == 30
    assert chosen.voices[0].name == "block.0…block.2"
    assert "30 of 30 tags joined to 12 voices" in chosen.note
    lengths = {f"loss{n}": 10 + n for n in range(20)}
    chosen = choose(run_of(**lengths), Choice(tags=("*",)))
    assert [voice.name for voice in chosen.voices] == [f"loss{n}" for n in range(8, 20)]
    assert "(of 20 voices, those with the most points); --tags GLOB" in chosen.note


def test_what_was_left_out_is_said_unless_the_user_chose():
    """The note names the option that changes it."""
    run = run_of(loss=5, lr=5)
    assert choose(run, Choice()).note == "heard: losses, 1 of 2 tags; --tags GLOB chooses others"
    assert choose(run, Choice(tags=("loss",))).note == ""
    assert choose(run_of(loss=5), Choice()).note == ""
