"""Brokers of somebody else's beside the gateway, as real processes, and what is published there."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conftest import NPM, tool
from tests.e2e.ports import answers, free_port
from tests.e2e.processes import until
from tests.e2e.town import Member, Town, gauge

EVENTS = "application/+/device/+/event/+"
NO_TEMPERATURE, NO_BATTERY = b"\x80\x00", b"\xff"


class _Broker:
    """A process that listens on a port; leaving the block kills it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def line(self) -> list[str]:
        """How it is started."""
        raise NotImplementedError

    def start(self) -> Self:
        """Start and wait until it listens."""
        with (self.folder / "broker.log").open("ab") as out:
            self._process = subprocess.Popen(self.line(), stdout=out, stderr=out, cwd=self.folder)
        try:
            until(lambda: answers(self.port), "the broker")
        except AssertionError:
            self.kill()
            raise
        return self

    def kill(self) -> None:
        """SIGKILL, now."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(60)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.kill()


class Mosquitto(_Broker):
    """Debian's Mosquitto; it forgets with its process.

    Args:
        settings: lines of its configuration; "listener" stands before them.
    """

    def __init__(self, folder: Path, *settings: str, anonymous: bool = True) -> None:
        super().__init__(folder)
        self.config = self.folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {str(anonymous).lower()}",
            "sys_interval 1",
            *settings,
        ]
        self.config.write_text("\n".join(lines) + "\n")

    def line(self) -> list[str]:
        return [str(tool("mosquitto")), "-c", str(self.config)]


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A Mosquitto whose queues have no end; its port."""
    with Mosquitto(folder, "max_queued_messages 0") as broker:
        yield broker.port


class Aedes(_Broker):
    """npm `aedes`, which speaks MQTT 3.1.1."""

    def line(self) -> list[str]:
        return [str(tool("node")), str(NPM / "broker.mjs"), str(self.port)]


def eui(number: int) -> str:
    """The DevEUI of the test's n-th device."""
    return f"70b3d57ed00{number:05x}"


def remote_gauge(number: int) -> Member:
    """A river gauge that speaks through a network server."""
    member = gauge(f"river-{number}")
    member["attributes"] |= {"dev_eui": eui(number)}
    return member


def stage_event(number: int, f_cnt: int, distance_mm: int) -> tuple[str, str]:
    """Topic and document of one uplink of a gauge, as ChirpStack v4 publishes it."""
    data = b"\0" + distance_mm.to_bytes(2, "big") + NO_TEMPERATURE + NO_BATTERY + b"\0"
    document: dict[str, Any] = {
        "deduplicationId": f"{number}-{f_cnt}",
        "time": "2026-05-12T03:00:00.123456789+00:00",
        "deviceInfo": {"applicationName": "water", "devEui": eui(number)},
        "devAddr": f"00{number:06x}",
        "fPort": 4,
        "data": b64encode(data).decode(),
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -48, "snr": 9.0}],
    }
    if f_cnt:
        document["fCnt"] = f_cnt
    return f"application/1/device/{eui(number)}/event/up", json.dumps(document)


def publish(port: int, messages: Iterable[tuple[str, str]], *words: str, qos: int = 1) -> None:
    """Publish by mosquitto_pub, one process a topic; each is acknowledged when this returns."""
    by_topic: dict[str, list[str]] = {}
    for topic, text in messages:
        by_topic.setdefault(topic, []).append(text)
    for topic, texts in by_topic.items():
        subprocess.run(
            [
                *(str(tool("mosquitto_pub")), "-h", "127.0.0.1", "-p", str(port)),
                *("-q", str(qos), "-t", topic, "-l", *words),
            ],
            input="\n".join(texts).encode(),
            check=True,
            timeout=60,
        )


def subscribe_to(town: Town, port: int, *lines: str, name: str = "city", url: str = "", subscriptions: str = f"[{{topic: {EVENTS}, format: chirpstack_v4}}]") -> None:  # fmt: skip
    """Give a town a broker to subscribe at.

    Args:
        lines: further settings of the door.
    """
    address = url or f"mqtt://127.0.0.1:{port}"
    more = "".join(f"    {line}\n" for line in lines)
    town.more_doors = (
        f"  - kind: mqtt_client\n    name: {name}\n    url: {address}\n    subscriptions: {subscriptions}\n"
        + more
    )
    town.set_door(0)
