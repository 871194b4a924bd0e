"""`epochord listening-test` and `epochord score-listening-test` as a user meets them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Epochord = Callable[..., tuple[int, list[str], str]]

CLIPS = {
    "a": {"kind": "healthy", "layer": None},
    "b": {"kind": "healthy", "layer": None},
    "c": {"kind": "spike", "layer": 2},
    "d": {"kind": "plateau", "layer": None},
}
RIGHT = [("a", "healthy", "none"), ("b", "healthy", "none"), ("c", "spike", 2),
         ("d", "plateau", "all")]  # fmt: skip


def write_key(**other: object) -> Path:
    about = {"schema_version": 1, "what": "key of a listening test", "test": "t",
             "voicing": "roll", "voices": 4, "clips": CLIPS}  # fmt: skip
    Path("key.json").write_text(json.dumps(about | other))
    return Path("key.json")


def write_answers(person: str, said: list = RIGHT, **other: object) -> Path:
    answers = [dict(zip(("clip", "kind", "layer"), one, strict=True)) for one in said]
    about = {"schema_version": 1, "what": "answers to a listening test", "test": "t",
             "person": person, "answers": answers}  # fmt: skip
    path = Path(f"{person}.json")
    path.write_text(json.dumps(about | other))
    return path


def test_a_page_and_its_key(epochord: Epochord) -> None:
    """Both are named on stdout, the first is for people, the second not."""
    code, out, err = epochord("listening-test", "--clips", 2, "--voices", 2, "-o", "t.html")
    assert (code, out) == (0, ["t.html", "t.key.json"])
    assert all(Path(name).is_file() for name in out)
    assert "keep the key to yourself" in err
    assert json.loads(Path("t.key.json").read_text())["voices"] == 2
    code, out, err = epochord("listening-test", "--clips", 2, "--seed", 1, "-o", "t.html")
    assert (code, out) == (1, [])
    assert "t.key.json: the key of another test" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--clips", 3), "clips are 3; expected an even number"),
        (("--voices", 40), "voices are 40; expected 2 to 12"),
        (("--voicing", "choir"), "voicing is 'choir'; expected one of"),
        (("-o", "test.wav"), "test.wav: .wav is not made here; expected .html"),
        (("--seed", -1), "expected at least 0"),
    ],
)
def test_wrong_usage_is_one_line(epochord: Epochord, arguments: tuple, said: str) -> None:
    """With the exit code 2, before anything is made."""
    code, out, err = epochord("listening-test", *arguments)
    assert (code, out, err.count("\n")) == (2, [], 1)
    assert said in err
    assert not Path("renders").exists()


def test_answers_are_scored(epochord: Epochord) -> None:
    """A row a person and one for all, troubles, confusions; and that nothing is to be claimed."""
    wrong = [("a", "drift", 1), *RIGHT[1:3], ("d", "death", 3)]
    files = write_answers("P1"), write_answers("P2", wrong)
    code, out, err = epochord("score-listening-test", *files, "--key", write_key())
    assert code == 0
    rows = [line.split() for line in out]
    assert rows[1][:6] == ["P1", "100%", "51%", "…", "100%", "100%"]
    assert rows[2][:2] == ["P2", "75%"]
    assert rows[3][:3] == ["all", "together", "88%"]
    assert ["plateau", "2", "100%"] in [row[:3] for row in rows]
    assert "2 of at least 8 people: nothing is to be claimed yet" in err


def test_scores_as_json(epochord: Epochord) -> None:
    """An object a person, and one of all together, whose person is null."""
    files = write_answers("P1"), write_answers("P2", [*RIGHT[:3], ("d", "spike", 1)])
    code, out, _ = epochord("score-listening-test", *files, "--key", write_key(), "--json")
    first, second, whole = map(json.loads, out)
    assert (code, first["person"], second["person"], whole["person"]) == (0, "P1", "P2", None)
    assert second["right"]["share"] == 1
    assert (second["named"]["count"], second["named"]["of"]) == (1, 2)
    assert whole["confusions"]["plateau"] == {"plateau": 1, "spike": 1}
    assert whole["kinds"]["spike"]["who"]["share"] == 1


def test_the_model_ear_stands_beside(epochord: Epochord) -> None:
    """Its figures of that voicing and number of layers, by our names of the troubles."""
    table = {"roll": {"4": {"spike_one": [0.91, 0.82, 0.73, 32, 16], "plateau": [0.99, 0.9, None]}}}
    Path("model.json").write_text(json.dumps(table))
    asked = "score-listening-test", write_answers("P1"), "--key", write_key(), "--model-ear"
    code, out, _ = epochord(*asked, "model.json")
    assert code == 0
    assert next(line for line in out if line.startswith("spike")).split()[-3:] == [
        "0.91", "0.82", "0.73",
    ]  # fmt: skip
    assert next(line for line in out if line.startswith("plateau")).split()[-1] == "–"
    _, out, _ = epochord(*asked, "model.json", "--json")
    assert json.loads(out[-1])["model"]["spike"] == {"trained": 0.91, "novice": 0.82, "who": 0.73}
    assert "model" not in json.loads(out[0])
    for text, said in (
        ("{}", "model.json: nothing of roll with 4 layers (no entry 'roll'); expected"),
        ("[", "model.json: no table of the model ear"),
        ('{"roll": {"4": {"plateau": 3}}}', "model.json: no table of the model ear"),
        ('{"roll": {"4": {"plateau": [3]}}}', "model.json: no table of the model ear"),
    ):
        Path("model.json").write_text(text)
        code, out, err = epochord(*asked, "model.json")
        assert (code, out, err.count("\n")) == (1, [], 1)
        assert said in err


def test_people_and_share_decide_what_the_protocol_says(epochord: Epochord) -> None:
    """Eight people and four of five clips right reach it; less does not."""
    key = write_key()
    files = [write_answers(f"P{n}") for n in range(8)]
    assert (
        "the 80% of the protocol are reached"
        in epochord("score-listening-test", *files, "--key", key)[2]
    )
    wrong = [(clip, "nan", "all") for clip in "abcd"]
    files = [write_answers(f"P{n}", wrong) for n in range(8)]
    assert (
        "50% right: the 80% of the protocol are not reached"
        in epochord("score-listening-test", *files, "--key", key)[2]
    )


def test_unusable_files_are_one_line(epochord: Epochord) -> None:
    """What, where, found, expected, with the exit code 1; no scores of the others."""
    key, good = write_key(), write_answers("good")
    Path("text.json").write_text("hello")
    Path("binary.json").write_bytes(b"\xff\xfe\x00")
    Path("list.json").write_text("[1]")
    same = Path("same.json")
    same.write_bytes(good.read_bytes())
    for path, said in (
        ("nowhere.json", "nowhere.json: cannot read (No such file or directory)"),
        ("text.json", "text.json: no JSON"),
        ("binary.json", "binary.json: no JSON"),
        ("list.json", "list.json: does not say what it is; expected answers to a listening test"),
        (key, "key.json: says it is 'key of a listening test'; expected answers"),
        (same, "same.json: answers of 'good', as good.json has; each person counts once"),
        (write_answers("x", test="u"), "x.json: answers to test 'u'; the key is of 't'"),
        (write_answers("y", RIGHT[:3]), "y.json: no answer to clip d (1 of 4 are missing)"),
        (write_answers("z", [("a", "flu", 1)]), "z.json: kind is 'flu'; expected one of healthy"),
        (write_answers("l", [("a", "nan", 9)]), "l.json: layer is 9; expected none, all, or 1 to"),
        (write_answers("n", answers=3), "n.json: 'int' object is not iterable"),
        (write_answers("m", answers=[{}]), "m.json: no entry 'clip'; expected answers"),
        (write_answers("v", schema_version=2), "v.json: schema_version is 2; expected 1"),
    ):
        code, out, err = epochord("score-listening-test", good, path, "--key", key)
        assert (code, out, err.count("\n")) == (1, [], 1), err
        assert said in err
    code, _, err = epochord("score-listening-test", good, "--key", good)
    assert code == 1
    assert "good.json: says it is 'answers to a listening test'; expected key" in err
    code, _, err = epochord("score-listening-test", good, "--key", write_key(clips={"a": 3}))
    assert (code, err.count("\n")) == (1, 1)
    assert "key.json: 'int' object is not subscriptable; expected key of a listening test" in err
    assert epochord("score-listening-test", good)[0] == 2
