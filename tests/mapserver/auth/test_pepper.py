from concurrent.futures import ThreadPoolExecutor

import pytest

from layers.core.errors import BadHome
from mapserver.auth.pepper import pepper


def test_the_pepper_is_made_once_and_only_its_owner_reads_it(tmp_path):
    made = pepper(tmp_path / "new" / "home")
    assert len(made) == 32
    assert pepper(tmp_path / "new" / "home") == made
    assert (tmp_path / "new" / "home" / "pepper").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new" / "home").iterdir()] == ["pepper"]


def test_all_who_come_first_at_once_get_the_same_pepper(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: pepper(tmp_path), range(32)))) == 1


@pytest.mark.parametrize("content", [b"", b"x" * 31])
def test_a_damaged_pepper_is_named_and_left_alone(tmp_path, content):
    (tmp_path / "pepper").write_bytes(content)
    with pytest.raises(BadHome, match="pepper"):
        pepper(tmp_path)
    assert (tmp_path / "pepper").read_bytes() == content


def test_a_home_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(BadHome, match="home/pepper"):
        pepper(tmp_path / "home")
