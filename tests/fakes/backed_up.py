"""A town with a backup of before anything was taken back."""

import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.clock import SystemClock
from gateway.keys import taken_back
from gateway.keys.ring import KeyRing
from gateway.privacy.web_push import Subscription
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from gateway.stores import backup
from tests.fakes.readings import NOON

OLD, NEW = (36.712_345_678_9, 137.212_345_678_9), (36.732_345_678_9, 137.202_345_678_9)
PHONE = Subscription("https://push.example/1", bytes(65), bytes(16))
NAMES = {"child-1": "Aoi", "child-2": "Haruki"}
ZONE = ZoneInfo("Asia/Tokyo")


class Town:
    """Two children of two families, who may be told of, and a gauge; with a backup of before anything was taken back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = StateDir.create(folder / "state", None, SystemClock())
        self.keys = KeyRing.create(folder / "keys", self.state.id, SystemClock(), ZONE)
        with self.registry() as registry, registry.change():
            for device, family in (("child-1", "h-1"), ("child-2", "h-2")):
                registry.put_device(
                    device, "child_tracker", "16201", NOON, family, name=NAMES[device]
                )
                registry.record_consent(device, "store", "Yamada", "sheet 1", NOON)
                registry.record_consent(device, "guardian_live", "Yamada", "sheet 1", NOON)
                registry.put_home(family, *OLD, at=NOON)
                registry.families.add_guardian(family, "a telephone", PHONE, NOON)
                registry.put_credential(device, [device])
            registry.put_device("river-1", "river_gauge", "16201", NOON)
            registry.put_credential("shared", ["child-1", "river-1"])
        assert not taken_back.content(self.keys.path)
        self.copy = self.backup("before")

    def registry(self) -> Registry:
        return Registry.open(self.state, self.keys)

    def backup(self, name: str) -> Path:
        backup.take(self.state, self.folder / name, NOON)
        return self.folder / name

    def restore(self, copy: Path | None = None) -> Registry:
        """The registry of a backup in the place of the one there is."""
        shutil.rmtree(self.state.path)
        backup.restore(copy or self.copy, self.state.path)
        return self.registry()
