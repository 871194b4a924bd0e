"""Frames to a video: raw pictures stream into one ffmpeg process, one at a time.

In one pass it makes an MP4 (H.264 and AAC) that browsers and phones play while
they load it, and, where wanted, a small WebP or GIF beside it that repeats for
ever.  No frame is kept, so memory does not grow with their number.
"""

import errno
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import IO, Literal, cast

import numpy as np
import numpy.typing as npt

try:
    import fcntl
except ImportError:  # not Unix
    fcntl = None  # type: ignore[assignment]

from epochord.renderers.results.output import writing
from epochord.runlog import EpochordError, OutputError
from epochord.runlog.errors import one_line
from epochord.runlog.extras import install_command

__all__ = ["VideoUnavailableError", "find_ffmpeg", "write_video"]

Frame = npt.NDArray[np.uint8]
Pixels = Literal["rgb24", "yuv420p"]

CRF = 20  # x264's quality: on thin lines 0.5 dB less than at 18, in three quarters of the bytes
KEYFRAMES = 2  # s from one to the next: seeking is quick, for 4 % of the bytes
AUDIO_BITS = 192_000  # bit/s
WEBP_QUALITY = 75  # of 100; from 60 down, small text grows a halo

# What x264's `veryfast` does beyond this takes half of its time and saves a quarter of the bytes.
X264 = {
    "subme": 1, "me": "dia", "ref": 1, "partitions": "none", "bframes": 0, "weightp": 0,
    "rc-lookahead": 4,
}  # fmt: skip

# Fixed, since the bytes depend on it and by default it depends on the machine's cores.
THREADS = 4

# RGB to what H.264 players take; `area` is nearer to thin coloured lines than `bicubic`.
# ffmpeg up to 5 tags a file by its options (`_video`), ffmpeg 9 by what its filters say.
TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
YUV = f"scale=out_color_matrix=bt709:out_range=tv:flags=area,format=yuv420p,{TAGS}"

# By suffix: the filters behind the scaling, and the encoder.  One palette for all frames would
# need all of them in memory.  Where each has its own, ffmpeg's flags for smaller GIFs save
# nothing, but lose frames that differ only in the palette.
ANIMATIONS = {
    ".webp": (
        "format=bgra",
        ["libwebp_anim", "-quality", str(WEBP_QUALITY), "-compression_level", "2", "-f", "webp"],
    ),
    ".gif": (
        "split[c][d];[c]palettegen=stats_mode=single[p];[d][p]paletteuse=new=1:dither=none",
        ["gif", "-gifflags", "0", "-f", "gif"],
    ),
}

PIPE = 1 << 20  # bytes; Linux gives everybody as much
TAIL = 1 << 13  # bytes that are kept of what ffmpeg says

# What ffmpeg says after it has said what is wrong.
AFTERMATH = re.compile(
    r"Last message repeated|Conversion failed|Task finished|Terminating thread|Nothing was written"
    r"|Error (muxing|writing trailer|closing|selecting an encoder|opening (in|out)put files?\b)"
)
REMEDIES = {
    os.strerror(errno.ENOSPC): "free some space or choose another folder with --out",
    os.strerror(errno.EDQUOT): "free some space or choose another folder with --out",
    os.strerror(errno.EFBIG): "the file would exceed what is allowed here",
}


class VideoUnavailableError(EpochordError):
    """There is no ffmpeg that could be run."""


def find_ffmpeg() -> str:
    """Return the ffmpeg to run: ``IMAGEIO_FFMPEG_EXE``, else imageio-ffmpeg's own.

    Raises
    ------
    VideoUnavailableError
        If there is none.
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise VideoUnavailableError(
            f"videos need ffmpeg, which is not here ({one_line(error)}): {install_command('video')}"
        ) from error


def write_video(
    path: Path,
    frames: Iterable[Frame],
    *,
    size: tuple[int, int],
    fps: int = 30,
    pixels: Pixels = "rgb24",
    audio: Path | None = None,
    animation: Path | None = None,
    animation_width: int = 480,
    animation_fps: int = 10,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write an MP4 video, and a small animation beside it.

    The video is H.264 (yuv420p, BT.709) with its index in front.  Equal frames and
    equal sound give equal bytes from one version of ffmpeg.

    Parameters
    ----------
    path : Path
        The MP4 file; its folder is made.
    frames : iterable of np.ndarray [shape=(height, width, 3), uint8]
        The pictures in sRGB, in order; or their planes (see `pixels`).  Each is done
        with before the next is asked for, so all may lie in the same memory.
    size : tuple of int
        Width and height in pixels, both even.
    fps : int
        Frames a second.
    pixels : {"rgb24", "yuv420p"}
        What a frame is; planes [shape=(height * 3 / 2, width)] are those of
        `epochord.renderers.pictures.planes`, and need no conversion.
    audio : Path, optional
        A sound file as long as the frames together; it becomes AAC.
    animation : Path, optional
        A ``.webp`` (smaller, with all colours) or ``.gif`` file without sound.
    animation_width : int
        Its width in pixels, at most that of the video.
    animation_fps : int
        Its frames a second, at most those of the video.  Times are whole
        milliseconds in WebP and whole hundredths of a second in GIF.
    progress : callable, optional
        Called with the number of frames that ffmpeg has taken.

    Returns
    -------
    int
        The number of frames.

    Raises
    ------
    VideoUnavailableError
        If there is no ffmpeg.
    OutputError
        If a file cannot be written or the sound not be read; then whatever was
        there still is.
    ValueError
        If there are no frames, one has another shape or type, the size is odd, or
        the sound and the pictures differ in length by more than a frame.
    """
    _check(size, fps, animation, animation_width, animation_fps)
    seconds = None if audio is None else _seconds(audio)
    start = [find_ffmpeg(), *_input(size, fps, pixels, audio)]
    with _results([path] if animation is None else [animation, path]) as places:
        command = [
            *start,
            *_graph(size, pixels, animation, animation_width, min(animation_fps, fps)),
        ]
        command += _video(places[-1], fps, audio)
        if animation is not None:
            command += _animation(places[0], animation.suffix)
        with _running(command, path) as write:
            count = 0
            for count, frame in enumerate(frames, start=1):
                write(_bytes(frame, size, pixels, count - 1))
                if progress:
                    progress(count)
            _check_length(count, fps, audio, seconds)
    return count


def _check(
    size: tuple[int, int], fps: int, animation: Path | None, width: int, animation_fps: int
) -> None:
    if min(size) < 2 or size[0] % 2 or size[1] % 2:
        raise ValueError(f"size is {size[0]} × {size[1]} pixels; expected even numbers")
    if min(fps, animation_fps, width) < 1:
        raise ValueError(f"{fps=}, {animation_fps=}, animation_width={width}; expected 1 or more")
    if animation is not None and animation.suffix not in ANIMATIONS:
        expected = " or ".join(ANIMATIONS)
        raise ValueError(f"animation is {animation.name}; expected {expected}")


def _seconds(audio: Path) -> float:
    import soundfile  # type: ignore[import-untyped]

    try:
        return float(soundfile.info(audio).duration)
    except (OSError, soundfile.LibsndfileError) as error:
        raise OutputError(f"{audio}: not a sound that can be read ({one_line(error)})") from error


def _check_length(count: int, fps: int, audio: Path | None, seconds: float | None) -> None:
    if not count:
        raise ValueError("no frames came; a video needs at least one")
    if seconds is not None and abs(seconds - count / fps) > 1 / fps:
        raise ValueError(f"{audio} lasts {seconds:.3f} s; the {count} frames {count / fps:.3f} s")


def _bytes(frame: Frame, size: tuple[int, int], pixels: Pixels, number: int) -> memoryview:
    width, height = size
    shape = (height, width, 3) if pixels == "rgb24" else (height * 3 // 2, width)
    if frame.shape != shape or frame.dtype != np.uint8:
        raise ValueError(
            f"frame {number} is {frame.dtype} of shape {frame.shape}; expected uint8 of "
            f"shape {shape}"
        )
    return np.ascontiguousarray(frame).data.cast("B")


@contextmanager
def _results(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield temporary paths like `writing`, but leave the block's own errors as they are.

    An `OSError` of the caller's frames says nothing about the files written here.
    """
    own: OSError | None = None
    try:
        with ExitStack() as stack:
            places = [stack.enter_context(writing(path)) for path in paths]
            try:
                yield places
            except OSError as error:
                own = error
                raise
    except OutputError:
        if own is not None:
            raise own from None
        raise


def _input(size: tuple[int, int], fps: int, pixels: Pixels, audio: Path | None) -> list[str]:
    # Without -xerror, ffmpeg 4 takes a file without an index for a success.
    arguments = ["-y", "-hide_banner", "-nostdin", "-xerror", "-loglevel", "error"]
    arguments += ["-filter_complex_threads", "1"]
    arguments += ["-f", "rawvideo", "-pixel_format", pixels, "-framerate", str(fps)]
    arguments += ["-video_size", f"{size[0]}x{size[1]}", "-i", "pipe:0"]
    return arguments if audio is None else [*arguments, "-i", _url(audio)]


def _graph(
    size: tuple[int, int], pixels: Pixels, animation: Path | None, width: int, fps: int
) -> list[str]:
    to_video = YUV if pixels == "rgb24" else TAGS
    graph = f"[0:v]{to_video}[video]"
    if animation is not None:
        width = min(width, size[0])
        height = max(1, round(width * size[1] / size[0]))
        encodable = ANIMATIONS[animation.suffix][0]
        thinned = f"fps={fps}:round=down:eof_action=pass"  # so that it ends with the last frame
        small = f"scale={width}:{height}:flags=area"
        if pixels == "yuv420p":
            thinned, small = f"{TAGS},{thinned}", f"{small}:in_color_matrix=bt709:in_range=tv"
        graph = f"[0:v]split[a][b];[a]{to_video}[video];[b]{thinned},{small},{encodable}[animation]"
    return ["-filter_complex", graph]


def _video(place: Path, fps: int, audio: Path | None) -> list[str]:
    arguments = ["-map", "[video]", "-c:v", "libx264", "-preset", "veryfast", "-crf", str(CRF)]
    arguments += ["-x264-params", ":".join(f"{name}={value}" for name, value in X264.items())]
    arguments += ["-g", str(KEYFRAMES * fps), "-threads", str(THREADS), "-color_range", "tv"]
    arguments += ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]
    if audio is not None:
        arguments += ["-map", "1:a", "-c:a", "aac", "-b:a", str(AUDIO_BITS), "-flags:a", "bitexact"]
    arguments += ["-flags:v", "bitexact", "-movflags", "+faststart", "-f", "mp4"]
    return [*arguments, *_plain(place)]


def _animation(place: Path, suffix: str) -> list[str]:
    return ["-map", "[animation]", "-c:v", *ANIMATIONS[suffix][1], "-loop", "0", *_plain(place)]


def _plain(place: Path) -> list[str]:
    """Name an output that holds neither dates, versions nor what the sound file says of itself."""
    return ["-fflags", "+bitexact", "-map_metadata", "-1", "-map_chapters", "-1", _url(place)]


def _url(path: Path) -> str:
    return f"file:{path}"  # else a name such as "a:b.wav" would be a protocol


class _EndedError(Exception):
    """Ffmpeg takes no more; why, it says itself."""


@contextmanager
def _running(command: Sequence[str], path: Path) -> Iterator[Callable[[memoryview], None]]:
    """Run ffmpeg and yield what writes to it; at the end wait, or kill it if the block fails."""
    process = _started(command)
    stdin, stderr = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stderr)
    _widen(stdin)
    said = bytearray()
    listener = Thread(target=_listen, args=(stderr, said), name="epochord-ffmpeg")
    listener.start()
    all_written = False
    try:
        with suppress(_EndedError):
            yield partial(_write, stdin)
            all_written = True
        stdin.close()
        process.wait()
    except BaseException:
        _kill(process)
        raise
    finally:
        stdin.close()
        process.wait()
        listener.join()
        stderr.close()
    if process.returncode or not all_written:
        raise _failure(command[0], path, process.returncode, said.decode(errors="replace"))


def _started(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # Ctrl-C is for us: we kill it.  And it shall hear of a file that has grown too
            # large as we do, by an error instead of a signal.
            start_new_session=True,
            restore_signals=False,
        )
    except OSError as error:
        raise VideoUnavailableError(
            f"{command[0]}: cannot be run ({error.strerror or error}); name an ffmpeg that can in "
            f"IMAGEIO_FFMPEG_EXE, or leave it out and {install_command('video')}"
        ) from error


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold more of a frame, where that can be said (Linux): fewer turns to wait."""
    if fcntl is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # more than a user may have
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


def _listen(stderr: IO[bytes], said: bytearray) -> None:
    # All of it, whatever is kept: ffmpeg would wait for ever on a pipe that is full.
    while piece := stderr.read(TAIL):
        said += piece
        del said[:-TAIL]


def _write(stdin: IO[bytes], data: memoryview) -> None:
    try:
        while data:  # a pipe may take a part
            data = data[stdin.write(data) :]
    except OSError as error:
        raise _EndedError from error


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if os.name != "posix":
        process.kill()
    elif process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):  # the latter: macOS, if it just ended
            os.killpg(process.pid, signal.SIGKILL)  # all of them, where ffmpeg is a script


def _failure(ffmpeg: str, path: Path, status: int, said: str) -> OutputError:
    for reason, remedy in REMEDIES.items():
        if reason in said:
            return OutputError(f"{path}: cannot write ({reason}); {remedy}")
    lines = [re.sub(r"^(\[[^]]*\] *)+", "", line).strip() for line in said.splitlines()]
    lines = [line for line in lines if line]
    reasons = [line for line in lines if not AFTERMATH.match(line)] or lines or [_ending(status)]
    return OutputError(
        f"{path}: ffmpeg failed ({one_line(reasons[-1])[:300]}); "
        f"it is {ffmpeg}; another can be named in IMAGEIO_FFMPEG_EXE"
    )


def _ending(status: int) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}" if status else "it ended before the last frame"
