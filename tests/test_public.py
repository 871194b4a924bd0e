"""The public face: lazy, listed, documented, and typed for those who use it."""

import ast
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import epochord

ROOT = Path(__file__).parents[1]
NAMES = sorted(set(epochord.__all__) - {"__version__"})


def in_a_fresh_python(code: str, folder: Path) -> str:
    """Run code in an interpreter of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_static_tools_and_python_see_the_same_names():
    """What is imported for the ones, found for the other, and listed for both."""
    tree = ast.parse(Path(epochord.__file__).read_text(encoding="utf-8"))
    (static,) = [
        node for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]  # fmt: skip
    homes = {
        alias.name: node.module
        for node in static.body if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }  # fmt: skip
    assert homes == epochord._HOMES
    assert sorted(homes) == NAMES
    assert epochord.__all__ == sorted(epochord.__all__) == dir(epochord)


def test_nothing_is_imported_before_it_is_used(tmp_path):
    """Not even NumPy; and then only what the name needs."""
    loaded = in_a_fresh_python(
        """
        import sys
        import epochord as ep
        dir(ep), ep.__version__
        print(*sorted({name.partition(".")[0] for name in sys.modules}))
        ep.open_run
        print(*sorted({name.partition(".")[0] for name in sys.modules}))
        """,
        tmp_path,
    )
    nothing, reading = (set(line.split()) for line in loaded.splitlines())
    assert nothing.isdisjoint({"numpy", "pyarrow", "importlib_metadata", "email", "json"})
    assert "pyarrow" in reading
    assert reading.isdisjoint({"torch", "librosa", "matplotlib", "scipy", "soundfile"})


def test_a_slip_of_the_pen_is_an_attribute_error():
    """As of any module."""
    with pytest.raises(AttributeError, match="module 'epochord' has no attribute 'opn_run'"):
        epochord.opn_run  # noqa: B018


def test_a_name_whose_package_is_missing_says_what_to_install(tmp_path):
    """As soon as it is used, however it was come by; everything else is as it was."""
    said = in_a_fresh_python(
        """
        import sys
        class WithoutTorch:
            def find_spec(name, *_):
                if name == "torch":
                    raise ModuleNotFoundError("No module named 'torch'", name="torch")
        sys.meta_path.insert(0, WithoutTorch)
        import epochord as ep
        try:
            ep.GradientRecorder("runs/one")
        except ep.EpochordError as error:
            print(error)
        from epochord import EnsembleRecorder
        try:
            class Mine(EnsembleRecorder): pass
        except ImportError as error:
            print(error)
        print(ep.sound.__name__)
        """,
        tmp_path,
    )
    first, second, third = said.splitlines()
    assert first == second
    assert re.match(r"recording needs torch, which is not installed: .*\[record\]", first)
    assert third == "sound"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented(name):
    """With every parameter, every public method, and the shape of every array."""
    thing = getattr(epochord, name)
    documented = {name: thing}
    if inspect.isclass(thing):
        own = {key: getattr(value, "__func__", value) for key, value in vars(thing).items()}
        public = {key: value for key, value in own.items() if not key.startswith("_")}
        documented |= {
            f"{name}.{key}": value
            for key, value in public.items()
            if callable(value) or isinstance(value, property)
        }
    for each, value in documented.items():
        text = inspect.getdoc(value)
        assert text, each
        assert text.partition("\n")[0].endswith((".", ":")), each
        assert re.findall(r"np\.ndarray(?! \[)", text) == [], each
        if inspect.isfunction(value):
            require_parameters(each, value, text)
    if inspect.isclass(thing) and not issubclass(thing, Exception):
        require_parameters(name, thing, inspect.getdoc(thing) or "")


def require_parameters(name, function, text):
    """Find each parameter in the section for them; a short method's sentence says it all."""
    parameters = inspect.signature(function).parameters.values()
    wanted = [p.name for p in parameters if p.name not in ("self", "cls")]
    if "." in name and "Parameters\n---" not in text:
        return
    listed = re.findall(r"^\*{0,2}([\w, ]+?)(?: : .*)?$", text, flags=re.MULTILINE)
    names = {each.strip() for line in listed for each in line.split(",")}
    assert set(wanted) <= names, name


def test_a_users_strict_script_passes_and_knows_the_types(tmp_path):
    """One run of mypy over all that a script does; what is revealed is no Any."""
    revealed = {
        'ep.open_run("x")["loss"]': "Series",
        'ep.open_run("x").get("loss")': "Series | None",
        'list(ep.open_run("x"))': "list[str]",
        'ep.find_runs("x")[0]': "RunSource",
        "ep.sound(run, voicing='lanes', duration=12)": "Sound",
        "ep.sound(run).samples.dtype.type": "_32Bit]]",
        "ep.spectrogram(run).db.dtype.type": "_32Bit]]",
        "ep.spectrogram('x.wav').steps": "None",
        "ep.render_audio(run, 'x.flac').path": "Path",
        "ep.compare([run, run]).pairs[0].sound.rms": "float",
        "ep.compare_runs([run, run], Path('x')).paths": "tuple[",
        "ep.read_back('x.wav')": "list[",
        "ep.findings(run)": "list[epochord.renderers.findings.finding.Finding]",
        "ep.findings(run)[0].factor": "float | None",
        "ep.describe(run)": "Account",
        "ep.describe(run).sentences": "list[str]",
        "ep.render_page(run).notes": "tuple[str",
        "ep.render_benford(run, 'x.png').paths": "tuple[",
        "ep.render_ensemble(ep.open_ensemble('x')).made": "bool",
        "ep.AudioSettings(duration=3.0)": "AudioSettings",
        "ep.__version__": "str",
        "ep.GradientRecorder": "GradientRecorder",
    }
    lines = ["from pathlib import Path", "import epochord as ep", "run = ep.open_run('x')"]
    lines += [f"reveal_type({code})" for code in revealed]
    lines += [
        "ep.sound(run, duration='12')",
        "ep.opn_run",
        "from epochord.renderers.audio.scoring import Frames, Score, Style",
        "def mine(frames: Frames, style: Style) -> Score: raise NotImplementedError",
        "ep.register_voicing('mine', mine)",
    ]
    script = tmp_path / "script.py"
    script.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty",
         "--cache-dir", str(ROOT / ".mypy_cache" / "users"), str(script)],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )  # fmt: skip
    notes = re.findall(r"script\.py:(\d+): note: Revealed type is \"(.*)\"", done.stdout)
    found = [text for _, text in notes]
    assert len(found) == len(revealed), done.stdout + done.stderr
    for (code, expected), text in zip(revealed.items(), found, strict=True):
        assert expected in text.replace("builtins.", ""), (code, text)
        assert text != "Any"
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 2, errors
    assert 'Argument "duration" to "sound" has incompatible type "str"' in errors[0]
    assert 'Module has no attribute "opn_run"' in errors[1]
