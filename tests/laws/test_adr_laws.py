"""Two hands: the network that sets data rates and power, and a node that obeys, with fading and loss between them."""

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.lorawan.adr import Adr
from gateway.lorawan.airtime import FLOOR_DB
from gateway.lorawan.regions import PLANS
from gateway.lorawan.session import RESERVED
from gateway.wire.lorawan.commands import wire
from simulators.lorawan.node import Node
from simulators.lorawan.touch import Touch
from tests.unit.test_sim_lorawan_node import OLD, Pair

PLAN = PLANS["AS923-1"]
MARGIN_DB = 10.0
LIMIT, DELAY = 8, 4
LONG = 600


class Pilot:
    """A node and its network for a long time.

    Args:
        snr_db: at full power, before fading.
        deaf: share of downlinks that do not reach the node.
    """

    def __init__(self, snr_db: float, deaf: float, seed: int) -> None:
        self.pair = Pair(OLD)
        self.node: Node = self.pair.node
        self.node._touch = Touch(self.node.tuning, LIMIT, DELAY)
        self.adr = Adr(PLAN, MARGIN_DB)
        self.snr_db, self.deaf, self.dice = snr_db, deaf, Random(seed)
        self.heard: list[bool] = []
        self.settings: list[tuple[int, int, int]] = []

    def run(self) -> None:
        for _ in range(LONG):
            self.node.say(b"", 4, confirmed=False)
            heard = [self.once() for _ in range(self.node.tuning.repeats)]
            self.heard.append(any(heard))
            tuning = self.node.tuning
            self.settings.append((tuning.dr, tuning.power_steps, tuning.repeats))

    def once(self) -> bool:
        """One transmission; whether the network heard it."""
        tuning, pair = self.node.tuning, self.pair
        channel = next(iter(tuning.usable()))
        phy = self.node.frame(channel)
        snr_db = self.snr_db - 2 * tuning.power_steps + self.dice.gauss(0.0, 2.0)
        if snr_db < FLOOR_DB[PLAN.data_rates[tuning.dr].sf]:
            return False
        uplink = pair.hears(phy, channel)
        self.adr.hear(uplink, tuning.dr, snr_db)
        asked = self.adr.ask(uplink)
        if asked or uplink.data.adr_ack_req:
            pair.session.reserved = pair.session.down + RESERVED
            answer = pair.answers(uplink, wire(asked), ack=False)
            if self.dice.random() >= self.deaf:
                assert self.node.hear(answer) is not None
        return True


@settings(max_examples=40)
@given(st.floats(-13.0, 12.0), st.sampled_from([0.0, 0.3]), st.integers(0, 1 << 20))
def test_network_and_node_come_to_rest_and_to_a_setting_that_is_heard(snr_db: float, deaf: float, seed: int) -> None:  # fmt: skip
    """From 2 dB above SF10's floor to right under the mast: most of the last hundred uplinks are heard, and whoever has much to
    spare is fast. Where every answer arrives, they know four settings at most."""
    pilot = Pilot(snr_db, deaf, seed)
    pilot.run()
    late = Counter(pilot.settings[-100:])
    assert deaf or len(late) <= 4, late
    assert sum(pilot.heard[-100:]) >= 50
    if snr_db >= FLOOR_DB[7] + MARGIN_DB + 3:
        assert pilot.node.tuning.dr == 5
