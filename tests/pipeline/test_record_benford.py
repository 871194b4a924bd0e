"""`epochord record benford`: a model's folder to a log, and one line for what cannot be."""

import json
import socket
from pathlib import Path

import pytest

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

TOKENS = ["a", "Ġa", "size", "Ġof", "x", *map(str, range(10)), *(f"Ġ{d}" for d in range(10))]


@pytest.fixture
def model(tmp_path):
    """Save a tiny random model and its tokenizer in a folder."""
    vocabulary = {token: place for place, token in enumerate(TOKENS)}
    whole = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="x"))
    whole.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = tokenizers.decoders.ByteLevel()
    folder = tmp_path / "tiny"
    transformers.PreTrainedTokenizerFast(tokenizer_object=whole).save_pretrained(folder)
    config = transformers.GPT2Config(
        vocab_size=len(TOKENS), n_positions=16, n_embd=8, n_layer=1, n_head=1,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def test_a_folder_is_recorded_and_drawn(epochord, model, tmp_path):
    """The run's path on stdout, a dozen prompts by default, and a picture of them."""
    code, out, err = epochord("record", "benford", "--model", model)
    assert (code, out) == (0, ["runs/benford"]), err
    about = json.loads((tmp_path / "runs/benford/run.json").read_text())
    assert about["hyperparameters"]["model"] == str(model)
    assert about["hyperparameters"]["prompts"] == 12
    assert "with a population size of" in about["hyperparameters"]["texts"]
    code, out, err = epochord("render", "benford", "benford")
    assert code == 0
    assert out == ["renders/benford/benford.png", "renders/benford/benford.svg"]
    assert "“with a population size of”:" in err
    assert "equal tokens (6.0)" in err


def test_what_is_recorded_stays_unless_replaced(epochord, model):
    """Equal settings do nothing, others need --overwrite."""
    epochord("record", "benford", "--model", model, "--prompt", "a size of")
    code, _, err = epochord("record", "benford", "--model", model, "--prompt", "a size of")
    assert code == 0
    assert "nothing to do" in err
    other = ("record", "benford", "--model", model, "--prompt", "a", "--baseline", "none")
    code, _, err = epochord(*other)
    assert code == 1
    assert "replace it with --overwrite" in err
    assert epochord(*other[:-3], " ", "--overwrite")[0] == 1
    assert Path("runs/benford/first_digits.parquet").is_file()
    assert epochord(*other, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--model", "./nowhere"), 1, "./nowhere: no such folder"),
        (("--prompt", " "), 1, "a prompt is empty"),
        (("--prompt", "a" * 30), 1, "tokens; the model's context has 16"),
        (("--prompts", "none.txt"), 1, "none.txt: cannot be read"),
        (("--baseline", "zipf"), 2, "--baseline is 'zipf'; expected uniform, random or none"),
        (("--device", "abacus"), 2, "--device is 'abacus'; expected one of cpu, cuda, mps, xpu"),
        (("--device", "cpu:x"), 1, "--device cpu:x: cannot be used"),
        (
            ("--dtype", "float8"),
            2,
            "--dtype is 'float8'; expected one of float32, bfloat16",
        ),
        (("--prompt", "a", "--prompts", "b.txt"), 2, "exclude each other"),
    ],
)
def test_bad_input_is_one_line(epochord, model, tmp_path, arguments, code, message):
    """No traceback, nothing half-made."""
    model = [] if "--model" in arguments else ["--model", model]
    if arguments == ("--prompt", "a" * 30):
        arguments = ("--prompt", "a " * 30)
    stopped, out, err = epochord("record", "benford", *model, *arguments)
    assert stopped == code
    assert message in err
    assert "Traceback" not in err
    assert not out
    assert not (tmp_path / "runs/benford/first_digits.parquet").exists()


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_broken_folder_is_one_line(epochord, model, missing):
    """Whatever of a model is missing, and where it is cut off."""
    (model / missing).unlink()
    code, _, err = epochord("record", "benford", "--model", model)
    assert code == 1
    assert len([line for line in err.splitlines() if "error:" in line]) == 1
    assert "Traceback" not in err


def test_weights_that_are_missing_are_not_made_up(epochord, model):
    """Where a layer is not in the file, it would be random."""
    files = pytest.importorskip("safetensors.torch")
    weights = files.load_file(model / "model.safetensors")
    kept = {name: each for name, each in weights.items() if "mlp" not in name}
    files.save_file(kept, model / "model.safetensors", {"format": "pt"})
    code, _, err = epochord("record", "benford", "--model", model)
    assert code == 1
    assert "4 weights of the model not there, such as transformer.h.0.mlp" in err
    assert err.count("\n") == 1


def test_a_proxy_that_does_not_answer_is_no_network(epochord, monkeypatch):
    """It is not tried again and again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        code, _, err = epochord("record", "benford", "--model", "no-such-model-here")
    assert code == 1
    assert "the hub cannot be reached" in err
    assert err.count("\n") == 1


def test_without_a_network_the_remedy_is_a_folder(epochord, monkeypatch):
    """A name on the hub cannot be had here, which is said at once."""
    monkeypatch.setattr("epochord.pipeline.language_models._hub_answers", lambda: False)
    code, _, err = epochord("record", "benford", "--model", "gpt2-medium")
    assert code == 1
    assert "gpt2-medium: no such folder here, and the hub cannot be reached" in err
    assert "give a model's folder with --model" in err
