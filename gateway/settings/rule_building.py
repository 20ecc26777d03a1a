"""Makes a rule set of what its file says, and of the gateway's first form."""

from typing import Any

from gateway.rules.counts import (
    Agreement,
    Audit,
    Classes,
    Count,
    KSuppress,
    Protect,
    Release,
    Round,
    Seal,
)
from gateway.rules.masks import (
    Circle,
    Delay,
    DensityClass,
    DensityClasses,
    Generalise,
    Laplace,
    Mesh,
    MinVisibleFixes,
    Pseudonymise,
    Reopen,
    Stay,
    Strip,
    Suppress,
    TimeFloor,
    Validate,
    Zone,
)
from gateway.rules.model import Lane, RuleSet, When
from gateway.settings import lane_schema as lanes
from gateway.settings import rule_schema as rules
from gateway.settings.schema import PrivacyFile

_US = 1_000_000
_DAY_US = 86_400 * _US
_CELL_M = {"1 km": 1000, "500 m": 500, "250 m": 250, "125 m": 125}


def built(file: lanes.RuleSetFile) -> RuleSet:
    """The rule set that a file describes."""
    return RuleSet(
        file.id, file.schema_, file.epoch, file.explain, tuple(_lane(lane) for lane in file.lanes)
    )


def first_form(file: PrivacyFile) -> RuleSet:
    """What the gateway's `privacy.yaml` says, with what that gateway does without being told: only with the
    household's consent, read by the operator, minutes, and a pseudonym for each file.
    """
    found = file.lanes[0]
    circle = found.suppress[0]
    return RuleSet(
        "first-form",
        1,
        None,
        "reasons",
        (
            Lane(
                name=found.name,
                purpose=" ".join(found.purpose.split()),
                audience="operator",
                legal_basis="consent recorded in the registry",
                retain_us=round(found.retain_s * _US),
                suppress=(
                    Circle(
                        circle.radius_m,
                        circle.buffer_m,
                        circle.accuracy_limit_m,
                        circle.default_accuracy_m,
                        Reopen(circle.reopen.fixes, circle.reopen.net_m, circle.reopen.far_m),
                        round(circle.gap_s * _US),
                    ),
                ),
                generalise=(TimeFloor(60 * _US),),
                pseudonymise=Pseudonymise("file"),
            ),
        ),
    )


def _lane(file: lanes.RuleLaneFile) -> Lane:
    when, signed, believed = file.when, file.agreement, file.validate_
    return Lane(
        name=file.name,
        purpose=file.purpose,
        audience=file.audience,
        legal_basis=file.legal_basis,
        retain_us=None if file.retain < 0 else file.retain,
        source=file.source,
        ttl_us=file.ttl_us,
        when=None if when is None else When(when.density_from, when.density_below),
        audit=_audit(file),
        release=None if file.release is None else Release(file.release.review),
        agreement=None
        if signed is None
        else Agreement(signed.recipient, signed.reference, signed.ends),
        validate=None
        if believed is None
        else Validate(believed.accuracy_m, believed.age_us, believed.speed_m_s),
        strip=None if file.strip is None else Strip(tuple(sorted(set(file.strip.allow)))),
        suppress=tuple(_suppress(rule) for rule in file.suppress),
        shape=tuple(MinVisibleFixes(rule.n) for rule in file.shape),
        generalise=tuple(_generalise(rule) for rule in file.generalise),
        perturb=tuple(Laplace(rule.mean_m, rule.memo) for rule in file.perturb),
        pseudonymise=None if file.pseudonymise is None else Pseudonymise(file.pseudonymise.period),
        count=tuple(_count(rule) for rule in file.count),
        protect=tuple(_protect(rule) for rule in file.protect),
    )


def _audit(file: lanes.RuleLaneFile) -> Audit | None:
    """As written; rows are tested where nothing is written too, for as long as they stay."""
    given = file.audit
    if given is None and (file.count or file.retain <= 0):
        return None
    if given is None:
        usual = lanes.AuditFile()
        return Audit(max(usual.days, file.retain // _DAY_US), usual.level, usual.homes)
    return Audit(given.days, given.level, given.homes)


def _suppress(file: rules.CircleRuleFile | rules.ZoneRuleFile | rules.StayFile) -> Suppress:
    if isinstance(file, rules.StayFile):
        return Stay(file.least_us, file.radius_m)
    watched: dict[str, Any] = {
        "buffer_m": file.buffer_m,
        "accuracy_limit_m": file.accuracy_limit_m,
        "default_accuracy_m": file.default_accuracy_m,
        "reopen": Reopen(file.reopen.fixes, file.reopen.net_m, file.reopen.far_m),
        "gap_us": file.gap_us,
        "label": file.label,
    }
    if isinstance(file, rules.CircleRuleFile):
        return Circle(radius_m=file.radius_m, **watched)
    return Zone(partition=file.partition, pin=file.pin, **watched)


def _generalise(
    file: rules.MeshFile | rules.TimeFloorFile | rules.DensityClassesFile | rules.DelayFile,
) -> Generalise:
    if isinstance(file, rules.MeshFile):
        return Mesh(_CELL_M[file.cell])
    if isinstance(file, rules.TimeFloorFile):
        return TimeFloor(file.step_us)
    if isinstance(file, rules.DelayFile):
        return Delay(file.least_us)
    return DensityClasses(
        tuple(DensityClass(one.from_per_km2, _CELL_M[one.cell]) for one in file.classes)
    )


def _count(file: lanes.CountFile) -> Count:
    return Count(file.unit, file.distinct, file.period, tuple(sorted(set(file.slices))), file.cap)


def _protect(
    file: lanes.KSuppressFile | lanes.RoundFile | lanes.ClassesFile | lanes.SealFile,
) -> Protect:
    if isinstance(file, lanes.KSuppressFile):
        return KSuppress(file.k, file.complementary, file.leaf_edges, file.one_facility)
    if isinstance(file, lanes.RoundFile):
        return Round(file.base, file.top)
    if isinstance(file, lanes.ClassesFile):
        return Classes(tuple(file.bounds))
    return Seal(file.to)
