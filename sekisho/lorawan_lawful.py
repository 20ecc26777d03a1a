"""Whether a region can be simulated, and whether what nodes are to send there is lawful at all, before anything is sent."""

from collections.abc import Sequence

from gateway.lorawan.airtime import FRAME, airtime_us
from gateway.lorawan.plan import Plan
from gateway.lorawan.regions import PLANS
from gateway.model.errors import Refusal


def simulated(region: str) -> Plan:
    """The plan of a region that can be simulated.

    Args:
        region: as in `lorawan.region` of a gateway.

    Raises:
        Refusal: there is none such, or its channels are fixed.
    """
    plan = PLANS.get(region)
    if plan is None or plan.masks:
        known = ", ".join(name for name, one in PLANS.items() if not one.masks)
        raise Refusal(f"--region {region}: simulated are {known}.", 2)
    return plan


def require_lawful(plan: Plan, rates: Sequence[int], size: int, every_s: float, option: str, eirp_dbm: float = 0.0) -> None:  # fmt: skip
    """Refuse nodes that would send frames that are too long, or more often than the law permits.

    Args:
        rates: numbers of the data rates that they may have to send with.
        size: bytes of payload.
        option: what says how often.
        eirp_dbm: at full power, where an option says so.

    Raises:
        Refusal: names the clause.
    """
    for number in rates:
        rate, most = plan.data_rates[number], plan.max_payload.get(number, 0)
        air_us = airtime_us(FRAME + size, rate)
        for freq_hz in (*(channel.freq_hz for channel in plan.channels), *plan.cf_list):
            rule = plan.rule(freq_hz, rate)
            law = plan.name if rule is None else rule.law
            if rule is None or size > most:
                limit = (
                    ""
                    if plan.dwell_s is None
                    else f", since {plan.dwell_s * 1000:g} ms is the longest"
                )
                raise Refusal(
                    f"{size} bytes at {rate}: {most} at most may be sent{limit} ({law}). Send less.",
                    2,
                )
            if eirp_dbm > rule.eirp_dbm:
                raise Refusal(
                    f"--eirp {eirp_dbm:g}: {rule.eirp_dbm:g} dBm at most may leave an antenna ({law}). Send with less.",
                    2,
                )
            if 3600 / every_s > rule.an_hour(air_us):
                raise Refusal(
                    f"{option} {every_s:g} s: a frame of {air_us / 1000:.0f} ms at {rate} may be sent "
                    f"{rule.an_hour(air_us):,} times an hour ({law}). Report more rarely.",
                    2,
                )
