"""A recorded way through the mask: whose it is, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from hashlib import sha256
from pathlib import Path

from gateway.app.checkpoint import Checkpoint
from gateway.devices.catalog import catalog
from gateway.devices.decode import json_decoder
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.reason import Fate
from gateway.model.uplink import Route
from gateway.privacy.area import Area
from gateway.privacy.distance import Plane
from gateway.privacy.policy import Policy
from gateway.registry.purposes import STORE
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from gateway.transports.replay.clock import RecordedClock
from gateway.transports.replay.door import Replay
from gateway.transports.replay.track import Point, Recording
from sekisho import recorded, track
from sekisho.recorded import OtherReplay

KIND = "child_tracker"
_DEVICE = DeviceId("replayed-1")
_HOUSEHOLD = "replayed"
_ROOM_DEG = 0.01
"""How far round the recording its service area reaches: about a kilometre."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a recording; counts of fixes.

    Attributes:
        beyond: fixes farther from the home than radius and margin.
        hidden: reason → how many were suppressed.
        stored, repeated, refused: newly stored; there already; not decodable.
        minutes, length_m: from first to last fix; along the way.
        rows: files that hold the rows.
    """

    fixes: int
    undated: int
    minutes: float
    length_m: float
    beyond: int
    stored: int
    repeated: int
    refused: int
    hidden: dict[str, int]
    rows: list[Path]

    @property
    def shown(self) -> int:
        return self.stored + self.repeated

    @property
    def kept_of_beyond(self) -> float | None:
        """Share of the fixes beyond radius and margin that are shown, in per cent."""
        return 100 * self.shown / self.beyond if self.beyond else None


def run(
    recording: Recording,
    home: tuple[float, float],
    radius: float | None,
    rules: Policy,
    state: Path,
    keys: Path | None,
    speed: float | None,
) -> Result:
    """Replay a recording into `state`, which is made if it is not there.

    Args:
        recording: what to replay.
        home: degrees; what is to stay hidden.
        radius: metres; None for the radius of `rules`.
        rules: the mask's rules; the service area becomes a box round the recording.
        state: where the rows go.
        keys: keys root; None for `keys/` beside the state directory.
        speed: how many times faster than recorded; None for at once.

    Raises:
        Refusal: the state directory is not one for replays, holds those of another home or under
            other rules, or a gateway runs there; or the radius is smaller than the rules'.
    """
    if radius is not None and not radius >= rules.home_radius_m:
        raise Refusal(
            f"--radius may be no smaller than the policy's, {rules.home_radius_m:g} m: a household's "
            "own radius can only widen the circle. Lower it in privacy.yaml.",
            exit_code=2,
        )
    clock = RecordedClock(recording.points[0].at)

    def register(_directory: StateDir, registry: Registry) -> None:
        _register(registry, recording.points[0], home, radius)

    with recorded.checkpoint(
        state, keys, clock, boxed(rules, recording.points), register
    ) as checkpoint:
        route = Route(checkpoint.directory.devices[_DEVICE], KIND, json_decoder(catalog()[KIND]))
        recorded.carry(
            checkpoint,
            lambda _: Replay(recording.records(route), checkpoint.intake, clock, speed),
        )
        return _result(checkpoint, recording)


def _result(checkpoint: Checkpoint, recording: Recording) -> Result:
    policy = checkpoint.policy
    household = checkpoint.directory.devices[_DEVICE].household
    assert household is not None
    assert household.home is not None
    radius = policy.home_radius_m if household.radius_m is None else household.radius_m
    hidden_m = radius + 2 * policy.default_accuracy_m + 1
    home = Plane(household.home.lat, household.home.lon)
    points = recording.points
    hidden: dict[str, int] = {}
    fates: dict[Fate, int] = {}
    for (_origin, _kind, fate, reason), count in checkpoint.tally.terms.items():
        fates[fate] = fates.get(fate, 0) + count
        if fate is Fate.SUPPRESSED:
            hidden[str(reason)] = count
    return Result(
        fixes=len(points),
        undated=recording.undated,
        minutes=track.minutes(points),
        length_m=track.length_m(points),
        beyond=sum(home.squared(point.lat, point.lon) > hidden_m**2 for point in points),
        stored=fates.get(Fate.STORED, 0),
        repeated=fates.get(Fate.DUPLICATE, 0),
        refused=fates.get(Fate.REJECTED, 0),
        hidden=dict(sorted(hidden.items(), key=lambda item: -item[1])),
        rows=sorted(checkpoint.state.personal_dir.glob("*.db")),
    )


def boxed(policy: Policy, points: Sequence[Point]) -> Policy:
    """The configured rules, with a box round the recording as service area."""
    box = (
        max(min(point.lat for point in points) - _ROOM_DEG, -90.0),
        max(min(point.lon for point in points) - _ROOM_DEG, -180.0),
        min(max(point.lat for point in points) + _ROOM_DEG, 90.0),
        min(max(point.lon for point in points) + _ROOM_DEG, 180.0),
    )
    ruleset = sha256(f"{policy.ruleset} {box}".encode()).hexdigest()
    return changed(policy, ruleset=ruleset, in_area=Area.from_bbox(*box).contains)


def _register(
    registry: Registry, first: Point, home: tuple[float, float], radius: float | None
) -> None:
    """The recording's device, its home, and the consent of whoever replays their own way.

    Raises:
        Refusal: another home or radius was used here: what one circle hides the other may show.
    """
    known = registry.directory().devices.get(_DEVICE)
    before = known.household if known is not None else None
    if before is not None and before.home is not None:
        if (before.home.lat, before.home.lon, before.radius_m) != (*home, radius):
            raise OtherReplay(
                "This state directory holds a replay with another home or radius; together the two "
                "would show what each of them hides. Choose another --state, or remove this one."
            )
        return
    with registry.change():
        registry.put_device(_DEVICE, KIND, "00000", first.at, _HOUSEHOLD)
        registry.put_home(_HOUSEHOLD, *home, radius, at=first.at)
        registry.record_consent(_DEVICE, STORE, "replay", "A recording, replayed.", first.at)
