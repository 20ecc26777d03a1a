"""`sekisho init`: from nothing to a gateway that runs, by options alone and by questions."""

import os
import pty
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from stat import S_IMODE

import pytest

from tests.e2e.processes import SEKISHO, background, ended, environment, sekisho, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def laid(folder: Path) -> dict[str, str]:
    """The files of a configuration."""
    return {path.name: path.read_text() for path in (folder / "config").iterdir() if path.is_file()}


def test_options_alone_lay_down_a_gateway_that_runs(tmp_path: Path) -> None:
    """No question; the door opens with TLS, its certificate names the host, and doctor is content."""
    words = (
        "--area",
        "16201",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "--tls",
        "--host",
        "gw.test",
        "--user",
        "sekisho",
    )
    code, out, err = sekisho(tmp_path, "init", *words, "--yes")
    assert (code, err) == (0, "")
    assert "sekisho run" in out
    assert "circle, which is the floor" in out
    gateway = tmp_path / "config" / "gateway.yaml"
    gateway.write_text(gateway.read_text().replace("port: 8883", "port: 0"))  # 8883 may be taken

    with background(tmp_path, "gateway", "run", "--json") as (_process, said):
        until(lambda: said.read_text().endswith("\n"), "the doors")
        code, out, _ = sekisho(tmp_path, "doctor")
        assert code == 0
        assert "good until" in out
        port = int(out.partition("127.0.0.1:")[2].split()[0])
        trust = ssl.create_default_context(cafile=tmp_path / "config" / "tls" / "ca.pem")
        with socket.create_connection(("127.0.0.1", port), 5) as line:
            trust.wrap_socket(line, server_hostname="127.0.0.1").close()


def test_what_is_secret_is_its_owner_s_alone(tmp_path: Path) -> None:
    """The door's key 0600, keys 0700, the state directory closed to others."""
    assert sekisho(tmp_path, "init", "--area", "16201", "--tls", "--yes")[0] == 0

    modes = {
        path: S_IMODE((tmp_path / path).stat().st_mode)
        for path in ("config/tls/server.key", "state")
    }
    assert modes == {"config/tls/server.key": 0o600, "state": 0o750}
    assert all(S_IMODE(ring.stat().st_mode) == 0o700 for ring in (tmp_path / "keys").iterdir())


def test_nothing_that_is_there_is_changed(tmp_path: Path) -> None:
    """A second init says what is in the way, and touches nothing."""
    assert sekisho(tmp_path, "init", "--area", "16201", "--yes")[0] == 0
    before = laid(tmp_path)
    code, _, err = sekisho(tmp_path, "init", "--area", "06201", "--yes")

    assert code == 1
    assert "is there already, so nothing was made" in err
    assert laid(tmp_path) == before


@pytest.mark.parametrize("name", ["devices.yaml", "privacy.yaml", "sekisho.service", "tls"])
def test_no_file_that_is_there_is_written_over(tmp_path: Path, name: str) -> None:
    """Not one that `gateway.yaml` names either, where that alone is missing."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / name).write_text("mine")
    code, _, err = sekisho(tmp_path, "init", "--area", "16201", "--yes")

    assert code == 1
    assert f"{name} is there already, so nothing was made" in err
    assert laid(tmp_path) == {name: "mine"}


@pytest.mark.parametrize("option", ["--state", "--keys"])
def test_where_a_place_cannot_be_made_nothing_stays(tmp_path: Path, option: str) -> None:
    """The state directory or the keys' place refuses; the same words work once it is mended."""
    (tmp_path / "in the way").write_text("a file")
    words = ("init", "town", "--area", "16201", "--tls", option, "in the way/x", "--yes")
    code, _, err = sekisho(tmp_path, *words)

    assert code == 1
    assert "in the way/x" in err
    assert [path.name for path in tmp_path.iterdir()] == ["in the way"]


def test_a_folder_of_any_name_will_do(tmp_path: Path) -> None:
    """What means something to YAML or systemd in a path is quoted: blanks, #, quotes, per cent."""
    folder = tmp_path / 'my town #1: {x} %h "q"'
    folder.mkdir()
    assert sekisho(folder, "init", "--area", "16201", "--yes")[0] == 0
    code, out, _ = sekisho(folder, "check")

    assert (code, str(folder / "state") in out) == (0, True)
    (run,) = (line for line in laid(folder)["sekisho.service"].splitlines() if "ExecStart=" in line)
    config = str(folder / "config" / "gateway.yaml").replace('"', '\\"').replace("%", "%%")
    assert run.endswith(f'run --config "{config}"')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say --area"),
        (("--area", "99999"), "no outline of 99999 is shipped"),
        (("--area", "Toyama", "--owner", "16201"), "neither a code, nor a file, nor four numbers"),
        (("--area", "38,137,36,138", "--owner", "16201"), "--area: "),
        (
            ("--area", "16201", "--bind", "0.0.0.0"),  # noqa: S104
            "By which name do devices reach it? Say --host NAME.",
        ),
        (("--area", "16201", "--port", "0"), "another one is needed: --tls"),
        (("--area", "36,137,37,138"), "--owner 16201"),
        (("--area", "16201", "--radius", "164 ft"), "for example 49.987 m"),
        (("--area", "16201", "--timezone", "Asia/Tokio"), "Did you mean Asia/Tokyo?"),
        (("--area", "16201", "--keys", "state/keys"), "lies inside the state directory"),
        (("--area", "16201", "--mark", "TEST"), "SIM, REPLAY or none"),
        (("--area", "16201", "--retain", "x: y"), "lanes[0].retain: whole days are needed here"),
        (("--area", "16201", "--user", "ro ot; x"), "is no name of a user"),
        (("--area", "16201", "--tls", "--host", ""), "neither a host name nor an IP address"),
        (("--area", "16201", "--tls", "--host", "河.example"), "neither a host name nor"),
        (("--area", "16201", "--tls", "--host", "two words"), "neither a host name nor"),
    ],
)
def test_a_wrong_answer_is_explained_and_nothing_is_made(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """Each by the sentence that the settings' own reader has for it."""
    code, _, err = sekisho(tmp_path, "init", *words, "--yes")

    assert code == 2
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_in_a_terminal_it_asks(tmp_path: Path) -> None:
    """Questions with defaults: pressing return to most of them comes to the same as the options."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *SEKISHO, "init"],
        cwd=tmp_path,
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    )
    os.close(theirs)
    heard = b""
    answers = [(b"Where does it serve", b"Toyama\n"), (b"neither a code", b"06201\n"), (b"Address", b"\n"), (b"TLS", b"n\n"), (b"Port", b"18830\n"), (b"Time zone", b"\n")]  # fmt: skip
    with ended(process):
        for question, answer in answers:
            while question not in heard:
                heard += os.read(ours, 4096)
            heard = b""
            os.write(ours, answer)
        assert process.wait(60) == 0
    os.close(ours)

    gateway = laid(tmp_path)["gateway.yaml"]
    assert 'municipality: "06201"' in gateway
    assert "port: 18830" in gateway
    assert "tls:" not in gateway
    assert sekisho(tmp_path, "check")[0] == 0


@pytest.mark.needs("systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Not one complaint about a directive; the command itself need not be installed here."""
    assert sekisho(tmp_path, "init", "--area", "16201", "--port", "883", "--yes")[0] == 0
    unit = tmp_path / "config" / "sekisho.service"
    unit.write_text(unit.read_text().replace(unit.read_text().partition("ExecStart=")[2].split()[0], "/bin/true"))  # fmt: skip
    judged = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )

    assert "CAP_NET_BIND_SERVICE" in unit.read_text()
    assert [line for line in judged.stderr.splitlines() if "sekisho.service" in line] == []
