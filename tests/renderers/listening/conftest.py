"""A small listening test, made once."""

import pytest

from epochord.renderers.listening import ListeningTest, render_listening_test


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> ListeningTest:
    """Four clips, two of which are healthy, of three layers."""
    return render_listening_test(tmp_path_factory.mktemp("test"), seed=3, count=4, voices=3)
