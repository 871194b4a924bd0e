"""`epochord play`: what is named sounds, through whatever plays sounds here."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

PROGRAM = [sys.executable, "-m", "epochord"]


@pytest.fixture
def workplace(write_run, tmp_path):
    """Write two runs and a table, and make room for players of our own."""
    for name in ("one", "two"):
        write_run(tmp_path / "runs" / name, {"grad_norm/a.weight": [1.0, 2.0, 3.0]})
    (tmp_path / "log.csv").write_text("step,loss\n0,1.5\n1,1.0\n")
    (tmp_path / "bin").mkdir()
    return tmp_path


def player(folder: Path, name: str, *, code: int = 0, then: str = "") -> None:
    """Put a program on the path that notes how it was called."""
    script = folder / "bin" / name
    script.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" {name} "$@" >> "{folder}/calls"\necho "" >> "{folder}/calls"\n'
        f"echo '{name} says why' >&2\n{then}\nexit {code}\n"
    )
    script.chmod(0o755)


def calls(folder: Path) -> list[list[str]]:
    """Give the programs that were called, with their arguments."""
    there = folder / "calls"
    text = there.read_text() if there.exists() else ""
    return [call.splitlines() for call in text.split("\n\n") if call]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Give one in which there are no other players, and no browser but those named."""
    gone = {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "EPOCHORD_MAKE"}
    kept = {key: value for key, value in os.environ.items() if key not in gone}
    return kept | {"PATH": str(folder / "bin")} | more


def play(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "play", *arguments],
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_run_is_rendered_and_played(workplace):
    """Once rendered it is not rendered again."""
    player(workplace, "paplay")
    sound = workplace / "renders/one/audio.wav"
    done = play(workplace, "one")
    assert (done.returncode, done.stdout) == (0, "renders/one/audio.wav\n")
    made = sound.stat().st_mtime_ns
    assert play(workplace, "one").returncode == 0
    assert calls(workplace) == [["paplay", str(sound)]] * 2
    assert sound.stat().st_mtime_ns == made


def test_what_was_rendered_with_other_settings_is_played_as_it_is(workplace):
    """Nobody wants the sound replaced that they have just made; a changed log is another matter."""
    player(workplace, "paplay")
    made = [*PROGRAM, "render", "audio", "one", "--voicing", "sequence", "--format", "flac"]
    subprocess.run(made, cwd=workplace, capture_output=True, check=True)
    assert play(workplace, "one").stdout == "renders/one/audio.flac\n"
    about = workplace / "renders/one/audio.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"log_hash": "another"}))
    assert play(workplace, "one").stdout == "renders/one/audio.wav\n"


def test_everything_that_can_be_rendered_can_be_played(workplace):
    """Runs, tables, sound files, and all runs if nothing is named; one after the other."""
    player(workplace, "paplay")
    assert play(workplace).stdout.split() == ["renders/one/audio.wav", "renders/two/audio.wav"]
    done = play(workplace, "log.csv", "renders/two/audio.wav")
    assert done.stdout.split() == ["renders/two/audio.wav", "renders/log/audio.wav"]
    assert len(calls(workplace)) == 4


@pytest.mark.parametrize(
    ("folder", "heard"), [("renders", ["one", "two"]), ("renders/two", ["two"])]
)
def test_a_folder_of_results_is_played_as_it_is(workplace, folder, heard):
    """Whatever sounds lie in it, at any depth; a folder that has none is an error."""
    player(workplace, "paplay")
    made = [*PROGRAM, "render", "audio", "runs"]
    subprocess.run(made, cwd=workplace, capture_output=True, check=True)
    sounds = [f"renders/{name}/audio.wav" for name in heard]
    assert play(workplace, folder).stdout.split() == sounds
    assert [call[-1] for call in calls(workplace)] == [str(workplace / path) for path in sounds]
    assert play(workplace, folder, "--runs", "one").returncode == 2
    assert play(workplace, "bin").returncode == 1


@pytest.mark.parametrize(
    ("program", "leading"),
    [
        ("afplay", []),
        ("paplay", []),
        ("pw-play", []),
        ("aplay", ["-q"]),
        ("ffplay", ["-nodisp", "-autoexit", "-loglevel", "error"]),
        ("mpv", ["--no-video", "--really-quiet"]),
    ],
)
def test_each_player_is_called_as_it_wants_to_be(workplace, program, leading):
    """The file comes last, by its whole path."""
    player(workplace, program)
    assert play(workplace, "one").returncode == 0
    sound = str(workplace / "renders/one/audio.wav")
    assert calls(workplace) == [[program, *leading, sound]]


def test_powershell_is_given_a_command(workplace):
    """With quotes in the path doubled."""
    player(workplace, "powershell")
    sound = workplace / "it's.wav"
    soundfile.write(sound, [0.0, 0.1], 8000)
    assert play(workplace, "it's.wav").returncode == 0
    quoted = str(sound).replace("'", "''")
    command = f"(New-Object Media.SoundPlayer '{quoted}').PlaySync()"
    assert calls(workplace) == [["powershell", "-NoProfile", "-Command", command]]


@pytest.mark.parametrize(
    ("file", "subtype", "program"),
    [
        ("x.flac", None, "paplay"),
        ("x.ogg", None, "paplay"),
        ("x.mp3", None, "mpv"),
        ("x.wav", "PCM_16", "aplay"),
        ("x.wav", "FLOAT", "aplay"),
    ],
)
def test_a_player_gets_only_what_it_can_play(workplace, file, subtype, program):
    """WAV alone is what aplay knows, and libsndfile's players got MP3 late."""
    soundfile.write(workplace / file, [0.0, 0.1] * 2000, 44_100, subtype=subtype)
    for name in ("aplay", "mpv", "powershell"):
        player(workplace, name)
    if program == "paplay":
        player(workplace, "paplay")
    assert play(workplace, file).returncode == 0
    assert [call[0] for call in calls(workplace)] == [program]


def test_powershell_plays_no_floats(workplace):
    """Its player knows integers only."""
    player(workplace, "powershell")
    soundfile.write(workplace / "x.wav", [0.0, 0.1], 8000, subtype="FLOAT")
    assert play(workplace, "x.wav").returncode == 1
    assert calls(workplace) == []


def test_where_a_player_fails_the_next_one_plays(workplace):
    """Such as where a sound server is installed, and does not run."""
    player(workplace, "paplay", code=1)
    player(workplace, "aplay")
    done = play(workplace, "one")
    assert done.returncode == 0
    assert [call[0] for call in calls(workplace)] == ["paplay", "aplay"]
    assert "epochord: paplay: paplay says why" in done.stderr


def test_without_a_player_the_page_is_opened_in_the_browser(workplace):
    """It is rendered for that; a mere file is opened itself."""
    player(workplace, "browser")
    done = play(workplace, "one", BROWSER=str(workplace / "bin/browser"))
    page = workplace / "renders/one/page.html"
    assert done.returncode == 0, done.stderr
    assert calls(workplace) == [["browser", page.as_uri()]]
    assert "one" in page.read_text(encoding="utf-8")
    sound = workplace / "renders/one/audio.wav"
    play(workplace, "renders/one/audio.wav", BROWSER=str(workplace / "bin/browser"))
    assert calls(workplace)[1:] == [["browser", sound.as_uri()]]


def test_with_neither_the_path_is_said_in_one_line(workplace):
    """Whoever sits elsewhere copies the file; that nothing was heard is an error."""
    done = play(workplace, "-q", "one")
    assert (done.returncode, done.stdout) == (1, "renders/one/audio.wav\n")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("epochord: error: nothing here plays it")
    assert "renders/one/audio.wav" in last


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.wav", "nowhere.wav: no such file; expected a sound, or a run"),
        ("oen", "did you mean 'one'?"),
    ],
)
def test_what_is_not_there_is_an_error_and_the_rest_is_played(workplace, path, message):
    """Exit code 1."""
    player(workplace, "paplay")
    done = play(workplace, path, "one")
    assert (done.returncode, done.stdout) == (1, "renders/one/audio.wav\n")
    assert message in done.stderr
    assert len(calls(workplace)) == 1


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_ends_the_player_too(workplace):
    """Exit code 130, one line, and silence."""
    player(workplace, "paplay", then=f'echo $$ > "{workplace}/pid"; exec sleep 60')
    (workplace / "bin/sleep").symlink_to("/bin/sleep")
    process = subprocess.Popen(
        [*PROGRAM, "-q", "play", "one"],
        cwd=workplace,
        env=environment(workplace),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pid = workplace / "pid"
    deadline = time.monotonic() + 30
    while not (pid.exists() and pid.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "epochord: error: interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
