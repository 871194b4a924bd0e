"""First digits that tiny language models expect, by rules that are checked against brute force."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

from epochord.recorders.digit_tokens import NoDigitTokensError, digit_tokens  # noqa: E402
from epochord.recorders.first_digits import (  # noqa: E402
    PromptError,
    VocabularyError,
    expected_digits,
    record_first_digits,
)
from epochord.renderers.benford.subjects import subjects  # noqa: E402
from epochord.runlog import open_run  # noqa: E402

WORDS = ["a", "Ġa", "Ġpopulation", "of", "Ġof", "size", "Ġsize", "b", "Ġ", "x"]
PROMPTS = ["a population of", "size", "a size of a population of a size", "b of"]


def tokenizer_of(tokens):
    """Return a tokenizer of GPT-2's kind that knows these tokens only, in GPT-2's spelling."""
    vocabulary = {token: place for place, token in enumerate(tokens)}
    return byte_level(tokenizers.models.WordLevel(vocabulary, unk_token="x"))


def gpt2_like():
    """Numbers of one to three digits, with a space in front and without, and odd ones."""
    spaced = [f"Ġ{n}" for n in (*range(10), 10, 12, 19, 25, 77, 100, 250, 999, "05", "3rd", "1.5")]
    return tokenizer_of([*WORDS, *spaced, *map(str, range(10)), "42", "007", "²"])


def bare_digits():
    """Single digits without a space, as Llama, Qwen and Mistral have."""
    return tokenizer_of([*WORDS, *map(str, range(10))])


def bytes_only():
    """Every byte, and nothing longer."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    return byte_level(tokenizers.models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))


def trained(ending=False):
    """Byte-pair encoding as GPT-2's, learnt from sentences with numbers; or one that ends texts."""
    whole = tokenizers.Tokenizer(tokenizers.models.BPE())
    whole.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=500, special_tokens=["</s>"], show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    whole.train_from_iterator((f"a size of {7 * n} of {n}" for n in range(900)), trainer)
    after = [("</s>", 0)] if ending else []
    whole.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A </s>" if ending else "$A", special_tokens=after
    )
    whole.decoder = tokenizers.decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=whole, eos_token="</s>")


def byte_level(model):
    """Return a tokenizer in GPT-2's spelling around a model of tokens."""
    whole = tokenizers.Tokenizer(model)
    whole.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = tokenizers.decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=whole)


def tiny(tokenizer, seed=0, context=32, spread=0.5):
    """Return a random network of GPT-2's kind."""
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer) + 3, n_positions=context, n_embd=16, n_layer=2, n_head=2,
        initializer_range=spread, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config).eval()


def llama_like():
    """Words that carry their space in front as Llama's do, single digits that carry none."""
    pieces = ["<unk>", "▁a", "▁population", "▁of", "▁size", "▁b", "▁x", "a", "▁", "<0x20>"]
    vocabulary = [(piece, -1.0) for piece in [*pieces, *"0123456789", "▁$", "."]]
    whole = tokenizers.Tokenizer(tokenizers.models.Unigram(vocabulary, unk_id=0))
    whole.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    whole.decoder = tokenizers.decoders.Sequence(
        [
            tokenizers.decoders.ByteFallback(),
            tokenizers.decoders.Metaspace(),
            tokenizers.decoders.Fuse(),
        ]
    )
    return transformers.PreTrainedTokenizerFast(tokenizer_object=whole, unk_token="<unk>")


def spelt(token):
    """Return the text of a token of any of these tokenizers."""
    return token.replace("Ġ", " ").replace("▁", " ").replace("<0x20>", " ")


def next_chances(model, ids):
    """Return the probability of each token behind others."""
    with torch.no_grad():
        return torch.softmax(model(torch.tensor([ids])).logits[0, -1].double(), dim=0).numpy()


def brute_force(model, tokenizer, prompt, digits=r"[0-9]+"):
    """Go through what can follow, token by token, and sum what makes a number by first digit."""
    ids = tokenizer.encode(prompt, add_special_tokens=False)
    chances = next_chances(model, ids)
    sums = np.zeros(10)
    for token, place in tokenizer.get_vocab().items():
        if re.fullmatch(f" {digits}", spelt(token), re.ASCII):
            sums[int(spelt(token)[1])] += chances[place]
        if spelt(token) == " ":
            behind = chances[place] * next_chances(model, [*ids, place])
            for second, other in tokenizer.get_vocab().items():
                if re.fullmatch(digits, spelt(second), re.ASCII):
                    sums[int(spelt(second)[0])] += behind[other]
    return sums


def mass_of(model, tokenizer, prompts, folder, **settings):
    """Record prompts; return the masses of the first one."""
    record_first_digits(
        model, tokenizer, prompts, folder, name="m", baselines=(), overwrite=True, **settings
    )
    return open_run(folder).tables["first_digits"].slice(0, 1).to_pylist()[0]


STYLES = {"GPT-2": gpt2_like, "Qwen": bare_digits, "Llama": llama_like, "bytes": bytes_only}


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("style", STYLES)
def test_digits_and_mass_are_brute_force_over_two_tokens(style, prompt, tmp_path):
    """P(the text goes on with a number), whether numbers carry a space or stand behind one."""
    tokenizer = STYLES[style]()
    model = tiny(tokenizer, context=64).double()  # so that only what is counted can differ
    found = expected_digits(model, tokenizer, [prompt])
    sums = brute_force(model, tokenizer, prompt)
    np.testing.assert_allclose(found["sum"][0], sums[1:] / sums[1:].sum(), rtol=1e-9)
    single = brute_force(model, tokenizer, prompt, "[0-9]")[1:]
    np.testing.assert_allclose(found["single"][0], single / single.sum(), rtol=1e-9)
    row = mass_of(model, tokenizer, [prompt], tmp_path)
    assert row["mass"] == pytest.approx(sums.sum(), rel=1e-9)
    assert row["zero_mass"] == pytest.approx(sums[0], rel=1e-9)


def test_beginnings_are_followed_where_that_is_asked_for(tmp_path):
    """Behind a currency digits count at once, and behind a space of their own."""
    tokenizer = llama_like()
    model = tiny(tokenizer)
    both = mass_of(model, tokenizer, ["a size of"], tmp_path, follow=[" $"])["mass"]
    plain = brute_force(model, tokenizer, "a size of").sum()
    vocabulary = tokenizer.get_vocab()
    chance = next_chances(model, tokenizer.encode("a size of"))[vocabulary["▁$"]]
    behind = brute_force(model, tokenizer, "a size of $").sum()
    after = next_chances(model, tokenizer.encode("a size of $"))
    at_once = sum(after[vocabulary[digit]] for digit in "0123456789")
    assert both == pytest.approx(plain + chance * (behind + at_once), rel=1e-6)
    alone = mass_of(model, tokenizer, ["a size of $"], tmp_path)["mass"]
    assert alone == pytest.approx(behind + at_once, rel=1e-6)


def test_numbers_that_begin_with_zero_are_followed_to_a_digit():
    """A zero, a point and a five count for 5 in the estimator `whole`, and only there."""
    tokenizer = llama_like()
    model = tiny(tokenizer, seed=13, spread=0.25)  # which expects zeros
    found = expected_digits(model, tokenizer, ["a size of"])
    vocabulary = tokenizer.get_vocab()
    sums = brute_force(model, tokenizer, "a size of")
    resolved = np.zeros(10)

    def follow(ids, chance, number, left):
        chances = chance * next_chances(model, ids)
        for token, place in vocabulary.items():
            if token in "123456789":
                resolved[int(token)] += chances[place]
            open_ = token == "0" or (token == "." and "." not in number)
            if open_ and left > 1 and chances[place] >= 1e-4:
                follow([*ids, place], chances[place], number + token, left - 1)

    ids = tokenizer.encode("a size of")
    for space in ("▁", "<0x20>"):
        ways = [*ids, vocabulary[space]]
        chance = next_chances(model, ids)[ways[-1]] * next_chances(model, ways)[vocabulary["0"]]
        if chance >= 1e-4:
            follow([*ways, vocabulary["0"]], chance, "0", 3)
    expected = sums[1:] + resolved[1:]
    assert resolved.sum() > 0.01 * sums.sum()
    np.testing.assert_allclose(found["whole"][0], expected / expected.sum(), rtol=1e-6)


def test_tokens_that_the_model_does_not_know_follow_nothing():
    """Of a tokenizer that was given words later; none of them is a number."""
    tokenizer = llama_like()
    model = tiny(tokenizer, seed=13, spread=0.25)  # which expects zeros
    before = expected_digits(model, tokenizer, ["a size of"])
    tokenizer.add_tokens([f"word{letter}" for letter in "vwxyz"])
    after = expected_digits(model, tokenizer, ["a size of"])
    for name, shares in before.items():
        np.testing.assert_array_equal(after[name], shares)


def test_a_beginning_that_is_given_twice_is_followed_once(tmp_path):
    """Its mass is no greater."""
    tokenizer = llama_like()
    model = tiny(tokenizer)
    once = mass_of(model, tokenizer, ["a size of"], tmp_path / "once", follow=[" $"])
    twice = mass_of(model, tokenizer, ["a size of"], tmp_path / "twice", follow=[" $", " $", ""])
    assert twice["mass"] == once["mass"]


@pytest.mark.parametrize("ending", [False, True])
def test_a_learnt_vocabulary(ending):
    """Byte pairs with numbers of many lengths; a token that ends texts is not what is asked."""
    tokenizer = trained(ending)
    model = tiny(tokenizer)
    found = expected_digits(model, tokenizer, ["a size of"])
    sums = brute_force(model, trained(), "a size of")[1:]
    assert np.count_nonzero(sums) == 9
    np.testing.assert_allclose(found["sum"][0], sums / sums.sum(), rtol=1e-6)


def test_tokens_are_told_by_their_text():
    """Superscripts, ordinals and decimals are no numbers; those from 0 are counted apart."""
    tokenizer = gpt2_like()
    found = digit_tokens(tokenizer)
    names = {place: token for token, place in tokenizer.get_vocab().items()}
    assert {names[t] for t in found.spaces} == {"Ġ"}
    pairs = zip(found.spaced.tokens, found.spaced.digits, strict=True)
    numbers = {names[token].strip("Ġ"): digit for token, digit in pairs}
    assert all(int(name[0]) == digit for name, digit in numbers.items())
    assert {names[t] for t in found.bare.tokens} == {*map(str, range(10)), "42", "007"}
    assert "3rd" not in numbers
    assert len(numbers) == 10 + 9


def test_batches_change_nothing():
    """Prompts of unequal length, padded at the right, are expected as they are alone."""
    tokenizer = gpt2_like()
    model = tiny(tokenizer)
    together = expected_digits(model, tokenizer, PROMPTS)["sum"]
    alone = expected_digits(model, tokenizer, PROMPTS, batch=1)["sum"]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_the_table_holds_model_and_baselines(tmp_path):
    """The vocabulary's own shares under uniform logits, three untrained networks, and masses."""
    tokenizer = gpt2_like()
    model = tiny(tokenizer)
    record_first_digits(model, tokenizer, PROMPTS, tmp_path / "lm", name="tiny")
    run = open_run(tmp_path / "lm")
    assert run.metadata.status == "finished"
    assert run.metadata.versions["transformers"] == transformers.__version__
    table = run.tables["first_digits"].to_pandas()
    assert list(dict.fromkeys(table["model"])) == [
        "tiny",
        "uniform",
        *(f"random-{i}" for i in range(3)),
    ]
    sums = table.groupby(["model", "prompt", "estimator"])["probability"].sum()
    np.testing.assert_allclose(sums, 1)
    uniform = table[(table["model"] == "uniform") & (table["estimator"] == "sum")]
    first = uniform[uniform["prompt"] == "size"].sort_values("digit")
    # 1, 10, 12, 19, 100; 2, 25, 250; 7, 77; 9, 999; and each other digit alone.
    known = len(tokenizer) + 3
    spaced = np.array([5, 3, 1, 1, 1, 1, 2, 1, 2]) / known
    bare = np.array([1, 1, 1, 2, 1, 1, 1, 1, 1]) / known  # behind the space, one token of all
    counted = spaced + bare / known
    np.testing.assert_allclose(first["probability"], counted / counted.sum())
    zeros = (2 + 2 / known) / known  # 0 and 05; 0 and 007
    np.testing.assert_allclose(first["mass"], counted.sum() + zeros)
    np.testing.assert_allclose(first["zero_mass"], zeros)
    np.testing.assert_allclose(first["no_space_mass"], 10 / (len(tokenizer) + 3))
    np.testing.assert_allclose(np.exp(table["log_probability"]), table["probability"])
    assert sorted(each.name for each in subjects(run)) == sorted(f"“{p}”" for p in PROMPTS)


def test_equal_prompts_count_once(tmp_path):
    """A prompt twice in a file has one distribution."""
    tokenizer = gpt2_like()
    record_first_digits(tiny(tokenizer), tokenizer, ["a", "a"], tmp_path / "lm", name="tiny")
    assert len(open_run(tmp_path / "lm").tables["first_digits"]) == 5 * 3 * 9


def test_recording_leaves_the_random_numbers_alone(tmp_path):
    """The untrained baselines have seeds of their own."""
    tokenizer = gpt2_like()
    model = tiny(tokenizer)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    record_first_digits(model, tokenizer, PROMPTS, tmp_path / "lm", name="tiny")
    assert torch.rand(1) == expected


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "no prompt; expected one or more"),
        (["a", "  "], "a prompt is empty"),
        (["a " * 40], r"has \d+ tokens; the model's context has 32"),
    ],
)
def test_prompts_that_cannot_be_used_are_refused(tmp_path, prompts, message):
    """In one line, before anything is written."""
    tokenizer = gpt2_like()
    with pytest.raises(PromptError, match=message):
        record_first_digits(tiny(tokenizer), tokenizer, prompts, tmp_path / "lm", name="tiny")
    assert not (tmp_path / "lm").exists()


def test_what_is_replaced_stays_until_the_new_can_be_had(tmp_path):
    """A prompt that cannot be used costs no earlier recording."""
    tokenizer = gpt2_like()
    model = tiny(tokenizer)
    record_first_digits(model, tokenizer, ["a"], tmp_path, name="tiny")
    with pytest.raises(PromptError):
        record_first_digits(model, tokenizer, [" "], tmp_path, name="tiny", overwrite=True)
    assert len(open_run(tmp_path).tables["first_digits"]) == 5 * 3 * 9
    record_first_digits(model, tokenizer, ["a", "b"], tmp_path, name="tiny", overwrite=True)
    assert len(open_run(tmp_path).tables["first_digits"]) == 5 * 2 * 3 * 9


def test_another_models_tokenizer_is_refused(tmp_path):
    """Its tokens go beyond the model's vocabulary."""
    with pytest.raises(VocabularyError, match=r"a token \d+, the model knows 23 tokens"):
        record_first_digits(tiny(bare_digits()), gpt2_like(), PROMPTS, tmp_path / "lm", name="tiny")
    assert not (tmp_path / "lm").exists()


def test_a_model_without_digits_is_refused(tmp_path):
    """A vocabulary of words alone has nothing to say about numbers."""
    tokenizer = tokenizer_of(WORDS)
    with pytest.raises(NoDigitTokensError, match="no tokens for the digits 1 to 9"):
        record_first_digits(tiny(tokenizer), tokenizer, PROMPTS, tmp_path / "lm", name="tiny")


def test_a_real_model(real_data, tmp_path):
    """The trained one from the shared folder: batched as unbatched, sums as by brute force."""
    folder = real_data.parent / "models" / "factbook-gpt2"
    if not folder.is_dir():
        pytest.skip(f"no model in {folder}")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    prompts = ["with a population size of", "The city has a population of", "The area is"]
    together = expected_digits(model, tokenizer, prompts)["sum"]
    alone = expected_digits(model, tokenizer, prompts, batch=1)["sum"]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    sums = brute_force(model, tokenizer, prompts[0])[1:]
    np.testing.assert_allclose(together[0], sums / sums.sum(), rtol=1e-5)
    record_first_digits(model, tokenizer, prompts, tmp_path / "lm", name="factbook")
    assert len(open_run(tmp_path / "lm").tables["first_digits"]) == 5 * 3 * 3 * 9
