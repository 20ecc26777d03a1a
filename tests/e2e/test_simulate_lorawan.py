"""What `sekisho simulate --lorawan` makes of the gateway that it is to speak to."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.air_town import air_town
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.radio_town import radio

pytestmark = [pytest.mark.e2e, pytest.mark.air, pytest.mark.timeout(120)]

RUN = (
    "simulate",
    "--lorawan",
    "3",
    "--report-every",
    "30s",
    "--switched-on-within",
    "2s",
    "--json",
)


def joined(out: str) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(out)
    return {name: figures[name] for name in ("joined", "forwarders", "frames")}


def test_a_second_run_goes_on_counting_where_the_first_ended(tmp_path: Path) -> None:
    """Each run asks once for each node, with --register and without: no DevNonce comes twice. Forwarders are those that
    the gateway lists."""
    town = air_town(tmp_path / "town", 3, 2)
    state, keys = str(town.state.path), f"{town.folder}/keys"
    with Gateway(town):
        for more in (("--register", state), (), ()):
            code, out, err = sekisho(
                town.folder, *RUN, "--follow", state, "--keys", keys, "--for", "9s", *more
            )
            assert code == 0, err
            said = joined(out)
            assert (said["joined"], said["forwarders"]) == (3, 2)
            assert said["frames"]["join: heard"] == 3
        assert not radio(town)["refused"]


def test_another_region_or_forwarders_that_are_not_listed_are_refused_before_anything_is_sent(tmp_path: Path) -> None:  # fmt: skip
    """Both with what the gateway has and what to do; whoever is not compared (--to) and heard in vain ends with 1."""
    town = air_town(tmp_path / "town", 3, 2)
    follow = ("--follow", str(town.state.path), "--keys", f"{town.folder}/keys")
    with Gateway(town) as gateway:
        code, _, err = sekisho(town.folder, *RUN, *follow, "--region", "EU868")
        assert code == 2
        assert "has lorawan.region AS923-1" in err
        code, _, err = sekisho(town.folder, *RUN, *follow, "--forwarders", "4")
        assert code == 2
        assert "lists 2 of the 4 forwarders" in err
        code, _, err = sekisho(town.folder, *RUN, *follow, "--seed", "8")
        assert code == 2
        assert "lists none of the 4 forwarders of seed 8" in err
        port = gateway.running["doors"]["forwarders"]["port"]
        to = ("--to", f"udp://127.0.0.1:{port}", "--for", "9s")
        code, out, err = sekisho(town.folder, *RUN, *to, "--seed", "8")
        assert (code, joined(out)["joined"]) == (1, 0)
        assert "answers no forwarder that it does not list" in " ".join(err.split())
        assert not radio(town)["receptions"]


def test_the_first_stations_come_when_their_token_is_in_force(tmp_path: Path) -> None:
    """A new token enters a gateway that runs already; nobody is turned away meanwhile."""
    town = air_town(tmp_path / "town", 3, 2, over="station")
    (town.folder / "forwarders.token").unlink()
    state = str(town.state.path)
    with Gateway(town) as gateway:
        code, out, err = sekisho(
            *(town.folder, *RUN, "--register", state, "--follow", state, "--over", "station"),
            *("--keys", f"{town.folder}/keys", "--for", "12s"),
        )
        assert code == 0, err
        assert joined(out)["joined"] == 3
        assert "not listed" not in gateway.said()
