"""The same option is the same in all commands, and every option says what it may be."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from epochord.pipeline.cli.program import program
from epochord.pipeline.commands.arguments import choices
from epochord.renderers.audio.decoding import Method
from epochord.renderers.audio.files.write import AudioFormat
from epochord.renderers.audio.scoring.settings import Polarity
from epochord.renderers.audio.scoring.style import TIMBRES
from epochord.renderers.ensemble.settings import Animation
from epochord.renderers.timeline.choice import Parameters
from epochord.runlog.run.segments import Segments

# Options whose name means another thing where another thing is made.
OF_THEIR_OWN = {
    "--out",  # says what is made, and where by default
    "--steps",  # of a training how many, of a log which
    "--seed",  # says of what
    "--format",  # of a log, of a sound
    "--tags",  # inspect lists them all
    "--duration",  # of a sound, of the training in a video
    "--video",  # says of what
    "--segments",  # export joins by default
}
WRITING = (
    "record sgd", "record ensemble", "record benford", "render audio", "render ensemble",
    "render benford", "export", "compare", "page", "gallery", "listening-test",
)  # fmt: skip


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Yield each command's name, what stands for it, and the command itself."""
    for name, later in group.commands.items():
        command = later.loaded()
        yield " ".join((*path, name)), later, command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


ALL = list(commands(program()))
COMMANDS = {name: command for name, _, command in ALL}


def options(command: Any) -> dict[str, Any]:
    """Give the options of a command by their long names."""
    found = (param for param in command.params if param.param_type_name == "option")
    return {max(param.opts, key=len): param for param in found}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_stands_for_a_command_says_what_the_command_says(name):
    """The sentence in a group's help is the first of the command's own."""
    (later,) = (later for each, later, _ in ALL if each == name)
    assert COMMANDS[name].help.partition("\n\n")[0].replace("\n", " ").strip() == later.help


def test_the_same_option_is_the_same_everywhere():
    """Names, metavar, help, default and what it may be."""
    ways = defaultdict(set)
    for command in COMMANDS.values():
        for name, param in options(command).items():
            about = (param.opts, param.metavar, param.help, param.default, param.type_descriptor)
            ways[name].add(str([*about[:4], about[4].annotation]))
    uneven = {name: several for name, several in ways.items() if len(several) > 1}
    assert set(uneven) <= OF_THEIR_OWN, uneven


@pytest.mark.parametrize("name", WRITING)
def test_every_command_that_writes_takes_a_place(name):
    """-o and --out, with one wording."""
    out = options(COMMANDS[name])["--out"]
    assert out.opts == ["--out", "-o"]
    assert out.help.startswith(
        "The run's folder.  [default: runs/"
        if name.startswith("record")
        else "Where the result goes: a file that ends in "
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_quiet_and_helps(epochord, name):
    """-q and -h stand in the help of each."""
    code, out, err = epochord(*name.split(), "-h")
    text = "\n".join(out)
    assert (code, err) == (0, "")
    assert "-q, --quiet" in text
    assert "-h, --help" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_shows_a_bare_type(name):
    """A metavar says what is meant, or the choices are shown."""
    bare = [
        option
        for option, param in options(COMMANDS[name]).items()
        if not param.is_flag and param.metavar is None and not param.type_descriptor.is_choice
    ]
    assert bare == []


@pytest.mark.parametrize("command", ["inspect", "decode", "gallery", "render audio", "play"])
def test_no_argument_shows_a_type(epochord, command):
    """Its name stands alone before its help."""
    lines = epochord(*command.split(), "--help")[1]
    argument = lines[lines.index("Arguments:") + 1]
    assert argument.split()[0] in ("PATH", "FILE", "FOLDER")
    assert not argument.split()[1].startswith("<")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (choices.Animation, Animation),
        (choices.AudioFormat, AudioFormat),
        (choices.Method, Method),
        (choices.Parameters, Parameters),
        (choices.Polarity, Polarity),
        (choices.Segments, Segments),
    ],
    ids=("animation", "format", "method", "parameters", "polarity", "segments"),
)
def test_choices_are_the_librarys(ours, theirs):
    """They are said again only since importing the library takes longer than a help."""
    assert get_args(ours) == get_args(theirs)


def test_timbres_are_the_librarys():
    """Which keeps them as data."""
    assert get_args(choices.Timbre) == tuple(TIMBRES)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("render audio", ("wav16|wav24|wav32f|flac|ogg|mp3", "weight|all", "+|-", "sine|warm")),
        ("render audio", ("auto|all|split|last", "lanes|sequence|original")),
        ("record sgd", ("digits|mnist", "parquet|tensorboard|both")),
        ("record ensemble", ("naive|prior|prior-bootstrap|sine-bootstrap",)),
        ("record benford", ("float32|bfloat16|float16",)),
        ("render ensemble", ("webp|gif|none",)),
        ("decode", ("joint|fft",)),
        ("page", ("lanes|sequence|original", "weight|all")),
    ],
)
def test_the_help_shows_what_there_is_to_choose(epochord, command, shown):
    """Beside the option."""
    text = "\n".join(epochord(*command.split(), "--help")[1])
    assert all(words in text for words in shown)
