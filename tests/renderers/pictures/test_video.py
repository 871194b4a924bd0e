"""Videos are what players expect, hold the pictures given, and appear whole or not at all."""

import os
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageSequence

from epochord.renderers.pictures.video import VideoUnavailableError, find_ffmpeg, write_video
from epochord.runlog import OutputError

SIZE = (64, 48)
COLOURS = np.array(
    [[255, 255, 255], [0, 114, 178], [213, 94, 0], [0, 158, 115], [51, 51, 51], [0, 0, 0]], np.uint8
)


# A small parser of MP4 boxes: ISO/IEC 14496-12, as far as it is needed.
CONTAINERS = ("moov", "trak", "edts", "mdia", "minf", "stbl")


class Track(NamedTuple):
    """What a track's boxes say."""

    kind: str  # vide or soun
    codec: str
    seconds: float  # as stored; AAC begins with 1024 samples that are not played
    played: float  # s, by the edit list
    samples: int  # frames, or packets of sound
    times: list[tuple[int, float]]  # (how many samples, s each)


def boxes(data: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[str, int, int]]:
    """Yield each box's type, and where its content begins and ends."""
    stop = len(data) if stop is None else stop
    while start < stop:
        size, kind = struct.unpack_from(">I4s", data, start)
        assert size >= 8, "no large or open boxes are expected"
        yield kind.decode(), start + 8, start + size
        start += size


def top_level(path: Path) -> list[str]:
    """Return the types of the outermost boxes, in order."""
    return [kind for kind, *_ in boxes(path.read_bytes())]


def seconds(path: Path) -> float:
    """Return how long the file says that it is."""
    data = path.read_bytes()
    scale, duration = struct.unpack_from(">II", data, _header(data) + 12)
    return duration / scale


def tracks(path: Path) -> list[Track]:
    """Return what the tracks are."""
    data = path.read_bytes()
    scale = struct.unpack_from(">I", data, _header(data) + 12)[0]
    inner = [place for kind, *place in boxes(data, *_movie(data)) if kind == "trak"]
    return [_track(data, a, b, scale) for a, b in inner]


def _movie(data: bytes) -> tuple[int, int]:
    (moov,) = [(a, b) for kind, a, b in boxes(data) if kind == "moov"]
    return moov


def _header(data: bytes) -> int:
    return next(a for kind, a, _ in boxes(data, *_movie(data)) if kind == "mvhd")


def _track(data: bytes, start: int, stop: int, movie_scale: int) -> Track:
    found: dict[str, int] = {}

    def walk(start: int, stop: int) -> None:
        for kind, a, b in boxes(data, start, stop):
            found.setdefault(kind, a)
            if kind in CONTAINERS:
                walk(a, b)

    walk(start, stop)
    scale, duration = struct.unpack_from(">II", data, found["mdhd"] + 12)
    runs = struct.unpack_from(">I", data, found["stts"] + 4)[0]
    times = [struct.unpack_from(">II", data, found["stts"] + 8 + 8 * run) for run in range(runs)]
    return Track(
        kind=data[found["hdlr"] + 8 : found["hdlr"] + 12].decode(),
        codec=data[found["stsd"] + 12 : found["stsd"] + 16].decode(),
        seconds=duration / scale,
        played=struct.unpack_from(">I", data, found["elst"] + 8)[0] / movie_scale,
        samples=struct.unpack_from(">I", data, found["stsz"] + 8)[0],
        times=[(count, length / scale) for count, length in times],
    )


def flat(count=30):
    """Yield frames of one colour each, five a colour, all in one array."""
    frame = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    for number in range(count):
        frame[:] = COLOURS[number // 5 % len(COLOURS)]
        yield frame


def decoded(path: Path) -> np.ndarray:
    """Return the frames of a video, as ffmpeg shows them."""
    command = [find_ffmpeg(), "-loglevel", "error", "-i", path, "-f", "rawvideo"]
    raw = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


def ffmpeg_says(path: Path) -> str:
    """Return what ffmpeg tells of a file."""
    return subprocess.run([find_ffmpeg(), "-i", path], capture_output=True, text=True).stderr


@pytest.fixture
def sound(tmp_path):
    """Write one second of a tone, with a title that is not the video's."""
    path = tmp_path / "tone.wav"
    phase = 2 * np.pi * 440 * np.arange(44_100) / 44_100
    with soundfile.SoundFile(path, "w", 44_100, 1) as file:
        file.title = "a tone"
        file.write(np.sin(phase) / 4)
    return path


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """Put a program of our own in ffmpeg's place."""

    def install(script: str) -> None:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))

    return install


def test_players_get_what_they_expect(tmp_path, sound):
    """MP4, index first, H.264 with 4:2:0 in BT.709 and AAC, both as long as the frames."""
    path = tmp_path / "a.mp4"
    assert write_video(path, flat(), size=SIZE, audio=sound) == 30
    outermost = top_level(path)
    assert outermost[0] == "ftyp"
    assert outermost.index("moov") < outermost.index("mdat")
    video, audio = tracks(path)
    assert (video.kind, video.codec, video.samples, video.seconds) == ("vide", "avc1", 30, 1.0)
    assert video.times == [(30, pytest.approx(1 / 30))]
    assert (audio.kind, audio.codec) == ("soun", "mp4a")
    assert audio.played == video.played == 1.0
    assert [audio.seconds, seconds(path)] == pytest.approx([1.0, 1.0], abs=1 / 30)
    told = ffmpeg_says(path)
    assert "yuv420p(tv, bt709, progressive)" in told  # primaries and transfer, too
    assert "64x48" in told
    assert "30 fps" in told
    assert "Duration: 00:00:01.0" in told
    assert "a tone" not in told


@pytest.mark.parametrize(("fps", "count"), [(24, 1), (25, 60), (60, 61)])
def test_frames_are_evenly_spaced_at_any_rate(tmp_path, fps, count):
    """None is dropped and none is doubled, be it one or more than a keyframe's distance."""
    path = tmp_path / "a.mp4"
    assert write_video(path, flat(count), size=SIZE, fps=fps, animation=tmp_path / "a.gif") == count
    (video,) = tracks(path)
    assert video.times == [(count, pytest.approx(1 / fps))]
    assert video.played == pytest.approx(count / fps, abs=0.001)
    assert len(decoded(path)) == count


def test_the_colours_are_those_given(tmp_path):
    """Each frame, decoded, has the colour put in, within the rounding of 8-bit YCbCr."""
    write_video(tmp_path / "a.mp4", flat(), size=SIZE)
    frames = decoded(tmp_path / "a.mp4")
    assert len(frames) == 30
    wanted = np.repeat(COLOURS, 5, axis=0).astype(int)
    assert np.abs(frames[:, 8:-8, 8:-8].mean(axis=(1, 2)) - wanted).max() < 5


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_the_small_animation_repeats_for_ever(tmp_path, suffix):
    """It lasts as long as the video, is as wide as asked, and shows the same colours."""
    small = tmp_path / f"a{suffix}"
    write_video(
        tmp_path / "a.mp4", flat(60), size=SIZE, animation=small, animation_width=32,
        animation_fps=6,
    )  # fmt: skip
    lasting, shown = 0, []
    with Image.open(small) as picture:
        assert picture.size == (32, 24)
        assert picture.info["loop"] == 0
        for frame in ImageSequence.Iterator(picture):
            shown.append(np.array(frame.convert("RGB"))[5, 5].astype(int))
            lasting += frame.info["duration"]
    assert lasting == pytest.approx(2000, abs=1)
    expected = np.tile(COLOURS, (2, 1))  # six a second: one of each stretch of five frames
    assert np.abs(np.array(shown) - expected).max() < 8
    assert tracks(tmp_path / "a.mp4")[0].samples == 60


@pytest.mark.parametrize("count", [1, 2, 3, 4, 60, 62])
def test_the_animation_ends_with_the_last_frame(tmp_path, count):
    """How the training ended is what one looks for; and one frame is enough for it."""
    frames = (np.full((48, 64, 3), 4 * number, np.uint8) for number in range(count))
    write_video(tmp_path / "a.mp4", frames, size=SIZE, animation=tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == -(-count // 3)  # 10 of 30 a second, rounded up
        picture.seek(picture.n_frames - 1)
        assert np.abs(np.array(picture.convert("RGB")).astype(int) - 4 * (count - 1)).max() <= 1


def test_the_animation_is_never_larger_or_faster_than_the_video(tmp_path):
    """What is asked for beyond that is not made up."""
    frames = (np.full((48, 64, 3), 8 * number, np.uint8) for number in range(30))
    write_video(
        tmp_path / "a.mp4", frames, size=SIZE, fps=15, animation=tmp_path / "a.gif",
        animation_width=1000, animation_fps=50,
    )  # fmt: skip
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.size, picture.n_frames) == (SIZE, 30)


def test_equal_frames_give_equal_bytes(tmp_path, sound):
    """Neither dates nor versions nor names of files are in it."""
    for name in "ab":
        write_video(
            tmp_path / f"{name}.mp4", flat(), size=SIZE, audio=sound,
            animation=tmp_path / f"{name}.webp",
        )  # fmt: skip
    for kind in ("mp4", "webp"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_the_bytes_do_not_depend_on_the_number_of_cores(tmp_path):
    """By default, x264 starts as many threads as there are cores, and writes how many it had."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system does not let a process choose its cores")
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (20, 48, 64, 3), np.uint8)
    cores = os.sched_getaffinity(0)
    write_video(tmp_path / "all.mp4", frames, size=SIZE, animation=tmp_path / "all.webp")
    try:
        os.sched_setaffinity(0, {min(cores)})
        write_video(tmp_path / "one.mp4", frames, size=SIZE, animation=tmp_path / "one.webp")
    finally:
        os.sched_setaffinity(0, cores)
    for kind in ("mp4", "webp"):
        assert (tmp_path / f"all.{kind}").read_bytes() == (tmp_path / f"one.{kind}").read_bytes()


def test_any_frame_will_do_and_any_name(tmp_path):
    """A view with gaps is as good as its copy; ffmpeg sees no protocols or patterns in names."""
    frames = np.random.default_rng(0).integers(0, 256, (5, 48, 128, 3), np.uint8)
    done = []
    odd = tmp_path / "-a b" / "http:%03d'x.mp4"
    write_video(odd, frames[:, :, ::2], size=SIZE, progress=done.append)
    write_video(tmp_path / "a.mp4", frames[:, :, ::2].copy(), size=SIZE)
    assert odd.read_bytes() == (tmp_path / "a.mp4").read_bytes()
    assert done == [1, 2, 3, 4, 5]


def nothing_left(folder: Path) -> bool:
    """Tell whether a folder has neither videos nor temporary files."""
    return not [p for p in folder.iterdir() if any(x in p.name for x in ("mp4", "webp", "gif"))]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'Unknown encoder libx264' >&2; exit 1", "ffmpeg failed .Unknown encoder libx264"),
        ("echo 'x: No space left on device' >&2; exit 1", "free some space"),
        (
            "echo '[out#0/mp4 @ 0x55d] Bad luck' >&2; echo 'Conversion failed!' >&2; exit 1",
            r"a.mp4: ffmpeg failed \(Bad luck\); it is .*; .* IMAGEIO_FFMPEG_EXE$",
        ),
        (
            "{ head -c 3000000 /dev/zero | tr '\\0' x; echo; echo why; } >&2; exit 4",
            r"failed \(why\)",
        ),
        ("exit 9", r"ffmpeg failed \(exit status 9\)"),
        ("kill -9 $$", r"ffmpeg failed \(killed by SIGKILL\)"),
        ("exit 0", "cannot write|ended before the last frame"),
        ("cat > /dev/null", "cannot write"),  # it says that all is well but writes nothing
    ],
)
def test_a_failing_ffmpeg_is_one_line_and_leaves_nothing(tmp_path, ffmpeg, script, message):
    """Its own words, a remedy, and neither a file nor a wait for ever."""
    ffmpeg(script)
    with pytest.raises(OutputError, match=message) as failed:
        write_video(tmp_path / "a.mp4", flat(), size=SIZE, animation=tmp_path / "a.webp")
    assert "\n" not in str(failed.value)
    assert nothing_left(tmp_path)


def test_a_file_that_really_cannot_grow_fails_in_one_line(tmp_path):
    """The kernel refuses to write on, ffmpeg says so, and nothing is half-made."""
    program = """
import sys, resource, numpy as np
from pathlib import Path
from epochord.renderers.pictures.video import write_video
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
random = np.random.default_rng(0)
frames = (random.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(200))
try:
    write_video(Path("a.mp4"), frames, size=(64, 48), animation=Path("a.webp"))
except Exception as error:
    print(repr(error))
"""
    command = [sys.executable, "-c", program]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert "OutputError('a.mp4: cannot write (File too large); the file would exc" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_no_ffmpeg_is_one_line_with_the_remedy(tmp_path, monkeypatch):
    """Without the package, or with a path where there is none."""
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    with pytest.raises(VideoUnavailableError, match=r"pip install .*\[video\]"):
        write_video(tmp_path / "a.mp4", flat(), size=SIZE)
    (tmp_path / "none").write_text("not a program")
    with pytest.raises(VideoUnavailableError, match=r"none: cannot be run \(Permission denied\)"):
        write_video(tmp_path / "a.mp4", flat(), size=SIZE)
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(VideoUnavailableError, match=r"pip install .*\[video\]"):
        write_video(tmp_path / "a.mp4", flat(), size=SIZE)
    assert nothing_left(tmp_path)


def test_an_earlier_video_stays_when_the_new_one_fails(tmp_path, ffmpeg):
    """Whatever happens while writing, what was there is as it was."""
    path = tmp_path / "a.mp4"
    write_video(path, flat(), size=SIZE)
    before = path.read_bytes()
    ffmpeg("exit 1")
    with pytest.raises(OutputError):
        write_video(path, flat(), size=SIZE)
    assert path.read_bytes() == before


def number_in(path: Path) -> int:
    """Wait for a process to write its number to a file."""
    while not path.exists() or not path.read_text().endswith("\n"):
        time.sleep(0.01)
    return int(path.read_text())


def gone(process: int) -> bool:
    """Tell whether a process ends within some seconds."""
    for _ in range(500):
        try:
            os.kill(process, 0)
            # What an ended script leaves behind is not ours to wait for.
            if ") Z " in Path(f"/proc/{process}/stat").read_text():
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError("not ours"), ValueError()])
def test_what_the_frames_raise_ends_ffmpeg_and_leaves_nothing(tmp_path, ffmpeg, error):
    """It comes up as it is, and no process outlives it, not even those of a script."""
    ffmpeg(f"sleep 100 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/pid; cat > /dev/null")

    def interrupted():
        yield from flat(2)
        # Ctrl-C in the terminal must reach us alone.
        assert os.getsid(number_in(tmp_path / "pid")) != os.getsid(0)
        raise error

    with pytest.raises(type(error)) as raised:
        write_video(tmp_path / "a.mp4", interrupted(), size=SIZE, animation=tmp_path / "a.gif")
    assert raised.value is error
    assert gone(number_in(tmp_path / "pid"))
    assert gone(number_in(tmp_path / "child"))
    assert nothing_left(tmp_path)


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_while_ffmpeg_finishes_ends_it(tmp_path, ffmpeg):
    """A long video's index takes its time, which nobody has to wait for."""
    ffmpeg(f"cat > /dev/null; echo $$ > {tmp_path}/pid; exec sleep 100")

    def interrupt():
        number_in(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        write_video(tmp_path / "a.mp4", flat(), size=SIZE)
    thread.join()
    assert gone(number_in(tmp_path / "pid"))
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no sound"])
def test_a_sound_that_cannot_be_read_is_named(tmp_path, content):
    """Before any frame is asked for."""
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(OutputError, match=r"a\.wav: not a sound that can be read \(") as failed:
        write_video(tmp_path / "a.mp4", flat(), size=SIZE, audio=tmp_path / "a.wav")
    assert "\n" not in str(failed.value)
    assert nothing_left(tmp_path)


def test_a_sound_of_another_length_is_refused(tmp_path, sound):
    """Else the one would go on without the other."""
    with pytest.raises(ValueError, match=r"tone\.wav lasts 1\.000 s; the 33 frames 1\.100 s"):
        write_video(tmp_path / "a.mp4", flat(33), size=SIZE, audio=sound)
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("frames", "options", "message"),
    [
        ([], {}, "no frames"),
        ([np.zeros((48, 64), np.uint8)], {}, "expected uint8"),
        ([np.zeros((48, 64, 3))], {}, "expected uint8"),
        ([np.zeros((48, 64, 3), np.uint8), np.zeros((64, 48, 3), np.uint8)], {}, "frame 1 is"),
        ([], {"size": (63, 48)}, "63 × 48 pixels; expected even numbers"),
        ([], {"size": (64, 0)}, "even numbers"),
        ([], {"fps": 0}, "expected 1 or more"),
        ([], {"animation": Path("a.png")}, r"expected \.webp or \.gif"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, frames, options, message):
    """Each with what was found and what was expected, and nothing is written."""
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / "a.mp4", frames, **({"size": SIZE} | options))
    assert nothing_left(tmp_path)
