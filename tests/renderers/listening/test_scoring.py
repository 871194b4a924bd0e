"""Answers to scores: worked out by hand, and laws."""

from hypothesis import given
from hypothesis import strategies as st

from epochord.renderers.listening.answers import Answer, Key, Person, Truth
from epochord.renderers.listening.detection import Detection, Share
from epochord.renderers.listening.scoring import scored, together
from epochord.renderers.listening.trainings import ANSWERS, HEALTHY, TROUBLES

VOICES = 4
TRUTHS = {
    "a": Truth(HEALTHY, None),
    "b": Truth(HEALTHY, None),
    "c": Truth("spike", 2),
    "d": Truth("near_death", 1),
    "e": Truth("explosion", None),
}
KEY = Key("t", "roll", VOICES, TRUTHS)


def person(name: str, *said: tuple[str, int | None]) -> Person:
    return Person(name, dict(zip(TRUTHS, (Answer(*each) for each in said), strict=True)))


def test_by_hand() -> None:
    """One false alarm, one miss, a right layer with the wrong name, and a death by its answer."""
    who = person(
        "P", ("healthy", None), ("drift", 3), ("drift", 2), ("death", 4), ("healthy", None)
    )
    found = scored(who, KEY)
    assert found.right == Share(3, 5)
    assert found.detection == Detection(Share(2, 3), Share(1, 2))
    assert found.named == Share(1, 3)
    assert found.who == Share(1, 2)
    assert found.kinds["spike"].detection == Detection(Share(1, 1), Share(1, 2))
    assert (found.kinds["spike"].named, found.kinds["spike"].who) == (Share(0, 1), Share(1, 1))
    assert (found.kinds["near_death"].named, found.kinds["near_death"].who) == (
        Share(1, 1),
        Share(0, 1),
    )
    assert found.kinds["explosion"].who == Share(0, 0)
    assert found.confusions == {
        HEALTHY: {"healthy": 1, "drift": 1},
        "spike": {"drift": 1},
        "near_death": {"death": 1},
        "explosion": {"healthy": 1},
    }


def test_a_layer_that_was_not_asked_for_is_no_miss() -> None:
    """Which layer counts only where one is concerned; kinds that a test lacks have no row."""
    found = scored(person("P", *[("healthy", None)] * 5), KEY)
    assert found.who == Share(0, 2)
    assert list(found.kinds) == ["spike", "near_death", "explosion"]


ANSWER = st.one_of(
    st.just(Answer(HEALTHY, None)),
    st.builds(Answer, st.sampled_from([*ANSWERS]), st.one_of(st.none(), st.integers(1, VOICES))),
)
TRUTH = st.one_of(
    st.just(Truth(HEALTHY, None)),
    st.sampled_from([*TROUBLES]).flatmap(
        lambda kind: (
            st.integers(1, VOICES).map(lambda layer: Truth(kind, layer))
            if TROUBLES[kind].one
            else st.just(Truth(kind, None))
        )
    ),
)


@st.composite
def answered(draw: st.DrawFn) -> tuple[Key, list[Person]]:
    truths = draw(st.lists(TRUTH, min_size=1, max_size=12))
    key = Key("t", "roll", VOICES, {str(n): truth for n, truth in enumerate(truths)})
    one = st.lists(ANSWER, min_size=len(truths), max_size=len(truths))
    said = draw(st.lists(one, min_size=1, max_size=4))
    return key, [Person(str(n), dict(zip(key.clips, s, strict=True))) for n, s in enumerate(said)]


@given(answered())
def test_together_is_the_sum_of_each(made: tuple[Key, list[Person]]) -> None:
    """Counts of all people together are the sums of their own, whatever they said."""
    key, people = made
    each, whole = [scored(person, key) for person in people], together(people, key)
    for name in ("right", "named", "who"):
        shares = [getattr(score, name) for score in each]
        total = Share(sum(s.count for s in shares), sum(s.of for s in shares))
        assert getattr(whole, name) == total
    said = sum(sum(row.values()) for row in whole.confusions.values())
    assert said == len(people) * len(key.clips)
    assert whole.detection.hits.count == sum(s.detection.hits.count for s in each)


@given(answered())
def test_who_says_what_the_key_says_is_right(made: tuple[Key, list[Person]]) -> None:
    """In everything."""
    key, _ = made
    perfect = Person("P", {c: Answer(t.answer, t.layer) for c, t in key.clips.items()})
    found = scored(perfect, key)
    for share in (found.right, found.named, found.who, found.detection.hits):
        assert share.count == share.of
    assert found.detection.false_alarms.count == 0
