"""How the last run ended: one that did not stop by itself may have cost what a UDP door could not wait with (decisions 5)."""

import logging

from gateway.app.radio import RadioPlan
from gateway.statedir import StateDir
from gateway.telemetry import Facts


def tell(state: StateDir, radio: RadioPlan | None, batch: int, facts: Facts) -> None:
    """Say so where the last run was cut off, and what that may have cost; to be asked under the lock.

    A run that ends by itself takes `run.json` away.

    Args:
        radio: forwarders, which hand over a frame once and keep none.
        batch: uplinks of one commit.
    """
    if not state.run_file.exists():
        return
    lost = "What was acknowledged is on disk."
    if radio is not None:
        lost += (
            f" What forwarders handed over in its last {radio.window_s:g} s, and one batch ({batch:,} uplinks at most), "
            "may be gone: they never send again. Devices that asked for an acknowledgement do"
        )
    facts.note(
        "last run cut off",
        f"The last run did not stop by itself: it was killed, or the machine was. {lost}",
        logging.WARNING,
    )
