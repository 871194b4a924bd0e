"""Parameters are grouped into few layers, by module prefix, in registration order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochord.runlog import LogError
from epochord.runlog.run.layers import choose_layers, group_by_module, is_weight, module_of

names = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "0", "1"]), min_size=1, max_size=4).map(".".join),
    unique=True,
    max_size=40,
)


@given(names, st.integers(1, 8))
def test_grouping_keeps_every_parameter_once_in_few_layers(parameters, limit):
    """Grouping is a partition into at most so many layers, each in order."""
    groups = group_by_module(parameters, limit)
    assert sorted(name for members in groups.values() for name in members) == sorted(parameters)
    assert len(groups) <= limit or len(groups) == 0
    for layer, members in groups.items():
        assert members
        if "…" not in layer:
            assert members == [name for name in parameters if name in members]
            assert all(name == layer or name.startswith(f"{layer}.") for name in members)


def test_a_large_model_is_told_apart_as_far_as_the_limit_allows():
    """Twelve transformer blocks of four modules each are heard as twelve blocks."""
    blocks = [f"h.{b}.{m}.weight" for b in range(12) for m in ("ln", "attn", "proj", "mlp")]
    assert list(group_by_module(["wte.weight", *blocks], limit=16)) == [
        "wte",
        *(f"h.{b}" for b in range(12)),
    ]
    assert list(group_by_module(["wte.weight", *blocks], limit=2)) == ["wte", "h"]
    joined = group_by_module(["wte.weight", *blocks])
    assert list(joined)[:2] == ["wte…h.0", "h.1"]
    assert len(joined) == 12


def test_names_with_slashes_are_grouped_as_those_with_dots():
    """TensorFlow and Keras write the path of a parameter so."""
    assert group_by_module(["net/conv/kernel", "net/conv/bias", "net/out/kernel"]) == {
        "net/conv": ["net/conv/kernel", "net/conv/bias"],
        "net/out": ["net/out/kernel"],
    }


def test_layers_are_chosen_by_prefix_or_glob_in_the_order_asked_for():
    """A prefix is one layer, a glob one layer a match."""
    parameters = ["a.0.lin.weight", "a.0.lin.bias", "a.1.lin.weight", "b.weight"]
    assert choose_layers(parameters, ["b", "a"]) == {"b": ["b.weight"], "a": parameters[:3]}
    assert choose_layers(parameters, ["a.*.lin"]) == {
        "a.0.lin": parameters[:2],
        "a.1.lin": parameters[2:3],
    }
    with pytest.raises(LogError, match=r"no layer matches 'c'; its layers: a\.0\.lin"):
        choose_layers(parameters, ["c"])


def test_weights_are_told_from_biases():
    """An LSTM's weights count too; a bare parameter is its own module."""
    assert is_weight("conv.weight")
    assert is_weight("lstm.weight_ih_l0")
    assert is_weight("dense/kernel:0")
    assert not is_weight("conv.bias")
    assert module_of("scale") == "scale"
