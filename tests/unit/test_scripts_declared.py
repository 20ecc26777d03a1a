"""Scripts that a configuration declares are loaded once before anything starts."""

import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from gateway.model.errors import Refusal
from gateway.settings.complaints import SettingsError
from gateway.settings.load import load_settings
from sekisho.scripts import declared

GOOD = "function decodeUplink(input) { return {data: {port: input.fPort}} }"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration, with a codec that names a script."""
    shutil.copytree(Path(__file__).parents[2] / "config", tmp_path / "config")
    codec = "name: mine\nkind: river_gauge\nscript: mine.js\nfields: {distance_m: d}\n"
    (tmp_path / "config" / "codecs" / "mine.yaml").write_text(codec)
    return tmp_path / "config"


def test_a_declared_script_is_loaded_once_before_anything_starts(config: Path) -> None:
    (config / "codecs" / "mine.js").write_text(GOOD)
    (script,) = declared(load_settings(config / "gateway.yaml"))
    assert script.file == (config / "codecs" / "mine.js").resolve()
    assert not script.fresh


def test_a_script_of_a_personal_kind_is_loaded_anew_for_each_uplink(config: Path) -> None:
    (config / "codecs" / "mine.js").write_text(GOOD)
    codec = config / "codecs" / "mine.yaml"
    codec.write_text("name: mine\nkind: child_tracker\nscript: mine.js\nfields: {lat: a, lon: b}\n")
    (script,) = declared(load_settings(config / "gateway.yaml"))
    assert script.fresh


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"let a = 1;\nfunction decodeUplink( {", "mine.js:2:1 it cannot be read as JavaScript"),
        (b"let a = 1;", "mine.js:1:1 it defines none of decodeUplink, Decoder and Decode"),
        (b"for (;;) ;", "mine.js:1:1 it ran longer than it may"),
        (b"\xff", "mine.js:1:1 this is no text in UTF-8"),
        (b" " * (1 << 21), "mine.js:1:1 a script has 1,048,576 bytes at most"),
    ],
)
def test_what_is_wrong_with_a_script_is_said_by_file_and_line(
    config: Path, text: bytes, said: str
) -> None:
    (config / "codecs" / "mine.js").write_bytes(text)
    with pytest.raises(SettingsError) as refused:
        declared(load_settings(config / "gateway.yaml"))
    assert said in str(refused.value)


def test_without_the_engine_a_script_is_refused_with_the_way_to_get_it(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config / "codecs" / "mine.js").write_text(GOOD)

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("sekisho.scripts.version", missing)
    with pytest.raises(Refusal, match=r"pip install 'sekisho\[scripts\]'"):
        declared(load_settings(config / "gateway.yaml"))
