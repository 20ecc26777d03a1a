"""Channel plans with their laws, a file each; a forwarder's region is one of `PLANS`."""

from collections.abc import Mapping

from gateway.lorawan.plan import Plan
from gateway.lorawan.regions import as923, as923_1, eu868, us915

PLANS: Mapping[str, Plan] = {
    "AS923-1": as923_1.PLAN,
    "AS923-1-128us": as923_1.SHORT_SENSE_PLAN,
    **{plan.name: plan for plan in as923.PLANS},
    "EU868": eu868.PLAN,
    "US915": us915.plan(us915.USUAL),
    **{f"US915-{sub_band}": us915.plan(sub_band) for sub_band in us915.SUB_BANDS},
}
"""What a configuration may say → its plan. Several share a region's name, which is what a forwarder is told."""
