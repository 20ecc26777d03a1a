"""The rules of a gateway as the oracle takes them: plain data."""

from collections.abc import Iterable
from typing import Any

from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE
from gateway.privacy.partition import Partition
from gateway.privacy.policy import Policy
from gateway.settings.load import load_settings
from gateway.settings.settings import Settings
from gateway.statedir import StateDir
from sekisho.place import DEFAULT_CONFIG
from simulators.oracle_mesh import Zones
from simulators.oracle_rules import Rules


def rules_of(directory: StateDir, settings: Settings | None, *, named: bool) -> Rules | None:
    """The rules of a state directory; None where no configuration tells them.

    Those of a configuration that somebody named, or that names this directory itself; of a `gateway.yaml` beside the
    directory that does; else of the one at hand.
    """
    if not named and (settings is None or not _names(settings, directory)):
        beside = directory.path.absolute().parent / DEFAULT_CONFIG.name
        if beside.is_file():
            own = load_settings(beside)
            settings = own if _names(own, directory) else settings
    return None if settings is None else rules_in_force(settings)


def _names(settings: Settings, directory: StateDir) -> bool:
    return settings.state.resolve() == directory.path.resolve()


def rules_in_force(settings: Settings) -> Rules:
    """What the oracle judges by.

    Raises:
        Refusal: rules that move places: their draws follow from a key, which no oracle knows.
    """
    return of_policy(settings.policy, {plan.rule.distinct for plan in settings.counted})


def of_policy(policy: Policy, distinct: Iterable[str] = ()) -> Rules:
    """The same of a policy alone, and of what its lanes count."""
    shape, believed, staying = policy.shape, policy.believed, policy.staying
    if shape.noise is not None:
        raise Refusal(
            "Rules that move places (perturb) cannot be reconciled: the draws follow from a key. "
            "Test with rules that do not.",
            2,
        )
    stays: dict[str, Any] = {}
    if staying is not None:
        stays = {"stay": staying.least, "stay_m": staying.radius_m}
    return Rules(
        in_area=policy.in_area,
        default_radius_m=policy.home_radius_m,
        retain_days=policy.retain_days,
        zones=None if policy.zoned is None else _plain(policy.zoned.partition),
        buffer_m=policy.buffer_m,
        reopen_fixes=policy.reopen_fixes,
        net_m=policy.reopen_net_m,
        far_m=policy.reopen_far_m,
        unsaid_m=policy.default_accuracy_m,
        poor_m=policy.accuracy_limit_m,
        gap=round(policy.gap_minutes * MINUTE),
        speed_m_s=believed.speed_m_s,
        age=believed.age,
        run=shape.run,
        fields=shape.fields,
        cell=None if shape.cells is None else shape.cells.name,
        dense=tuple((least, mesh.name) for least, mesh in shape.dense),
        step=shape.step,
        daily=shape.daily,
        density_from=policy.density_from,
        density_below=policy.density_below,
        keeps_ways=policy.keeps_ways,
        reads="counted" if "tag" in distinct else "kept" if policy.keeps_reads else "refused",
        **stays,
    )


def _plain(partition: Partition) -> Zones:
    mesh = partition.mesh
    return Zones(
        mesh.name,
        {
            name: tuple(mesh.code(cell) for cell in sorted(zone.cells))
            for name, zone in partition.zones.items()
        },
        {name: int(zone.dwellings.split()[0]) for name, zone in partition.zones.items()},
    )
