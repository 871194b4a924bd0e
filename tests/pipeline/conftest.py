"""What several tests of the command line use."""

import pytest

from epochord.pipeline import cli


@pytest.fixture
def epochord(monkeypatch, capfd, tmp_path):
    """Run the command in an empty folder; gives exit code, lines of stdout, and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, list[str], str]:
        monkeypatch.setattr("sys.argv", ["epochord", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capfd.readouterr()
        return stopped.value.code or 0, out.splitlines(), err

    return run
