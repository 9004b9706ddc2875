import pytest

from layers.core.settings import Settings
from tests.mapserver.process import ROOT


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in ("HOME", "CITIES", "CITY", "SCREENS"):
        monkeypatch.delenv(f"ONEMAP_{name}", raising=False)


def test_a_checkout_finds_its_own_cities_and_screens_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert (settings.cities, settings.screens) == (ROOT / "data", ROOT / "frontend" / "dist")
    assert settings.city_folder == ROOT / "data" / "toronto"


def test_what_is_set_is_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("ONEMAP_CITIES", str(tmp_path))
    monkeypatch.setenv("ONEMAP_SCREENS", str(tmp_path / "screens"))
    monkeypatch.setenv("ONEMAP_CITY", "here")
    settings = Settings()
    assert (settings.city_folder, settings.screens) == (tmp_path / "here", tmp_path / "screens")
