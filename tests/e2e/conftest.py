"""A gateway for tests that only need one to talk to."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from sekisho import certificate
from tests.e2e.processes import Gateway
from tests.e2e.town import Town, gauge


class House(NamedTuple):
    """One town with a gateway: the credential "pilot" speaks for river-1, "other" for river-2."""

    town: Town
    gateway: Gateway
    token: str
    ca: Path

    @property
    def port(self) -> int:
        return self.gateway.port

    @property
    def tls_port(self) -> int:
        port: int = self.gateway.running["doors"]["mqtt"]["tls_port"]
        return port


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway with a plain and a TLS port, shared by the tests of one module."""
    folder = tmp_path_factory.mktemp("house")
    made = certificate.issue(folder, ["127.0.0.1", "localhost"], datetime.now(UTC))
    tls = f"{{port: 0, certificate: {made.certificate}, key: {made.key}}}"
    town = Town(folder / "town", tls=tls)
    token = town.enrol([gauge("river-1")], "pilot")
    town.enrol([gauge("river-2")], "other")
    with Gateway(town) as gateway:
        yield House(town, gateway, token, made.ca)
        assert gateway.stop() == 0
