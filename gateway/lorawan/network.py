"""The network's memory while it runs: who may join, who has joined, and what a frame of theirs is.

It decides and remembers; it waits for nothing. Whoever calls it writes down what it says must be on disk before anything
else leaves (`gateway.pipeline.radio`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from secrets import randbelow

from gateway.lorawan import joining, uplinks
from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.joining import Joined, Root
from gateway.lorawan.merging import Merged
from gateway.lorawan.plan import Plan
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import Session
from gateway.lorawan.uplinks import Doubt, Uplink
from gateway.model.identity import DeviceId
from gateway.wire.lorawan.frames import Data, JoinRequest
from gateway.wire.lorawan.identifiers import DevAddr, Eui

_ADDRESSES = 1 << 25
"""NwkAddr of NetID 000000: 25 bits, the seven above them are 0 (Backend Interfaces 1.0 §7)."""

Dice = Callable[[int], int]
"""A number below the one that is given."""


class Network:
    """All sessions of one gateway.

    Args:
        plan: the region.
        dice: draws addresses.
    """

    def __init__(self, plan: Plan, dice: Dice = randbelow) -> None:
        self.plan = plan
        self._dice = dice
        self._roots: dict[Eui, Root] = {}
        self._by_addr: defaultdict[DevAddr, list[Session]] = defaultdict(list)
        self._current: dict[DeviceId, Session] = {}
        self._pending: dict[DeviceId, Session] = {}
        self._aside: defaultdict[DeviceId, list[Session]] = defaultdict(list)

    def admit(self, roots: Mapping[Eui, Root]) -> None:
        """Who may join from here on; whom the network knows already goes on with its history of joins."""
        known = {root.device: root for root in self._roots.values()}
        for root in roots.values():
            if root.device in known:
                root.go_on(known[root.device])
        self._roots = dict(roots)

    def resume(self, sessions: Iterable[Session]) -> list[Session]:
        """Go on with sessions that were written down, and with those of devices that never join (ABP).

        A device speaks in the newest in which it has spoken, and may begin to in the newest of all.

        Returns:
            all others: they are over, and their records are to go.
        """
        of: defaultdict[DeviceId, list[Session]] = defaultdict(list)
        for session in sorted(sessions, key=lambda one: one.number):
            of[session.device].append(session)
        over = []
        for known in of.values():
            spoken = [session for session in known if session.up is not None]
            current = spoken[-1] if spoken else known[0]
            self.welcome(current)
            if known[-1] is not current:
                self.welcome(known[-1])
            over += [session for session in known if session not in (current, known[-1])]
        return over

    def only(self, devices: Collection[DeviceId]) -> list[Session]:
        """These may speak. The sessions of all others wait as they are, and go on once their device may speak again.

        Returns:
            those that are over, as of `resume`: a join that was on its way when its device was shut out may have come since.
        """
        for device in self._current.keys() - set(devices):
            self._aside[device] += self.end([device])
        over = []
        for device in self._aside.keys() & set(devices):
            over += self.resume([*self._aside.pop(device), *self.end([device])])
        return over

    def end(self, devices: Iterable[DeviceId]) -> list[Session]:
        """Forget the sessions of these devices."""
        ended = []
        for device in devices:
            for held in (self._current, self._pending):
                session = held.pop(device, None)
                if session is not None:
                    self._strike(session)
                    ended.append(session)
        return ended

    def root(self, dev_eui: Eui) -> Root | None:
        """The device that may join by this EUI; or would, if its bytes stood in the other order."""
        return self._roots.get(dev_eui) or self._roots.get(Eui(dev_eui[::-1]))

    def devices(self) -> list[DeviceId]:
        """Whoever has a session."""
        return list(self._current)

    def sessions(self) -> list[tuple[DeviceId, Session]]:
        """Whoever has one, and which it speaks in."""
        return list(self._current.items())

    def session(self, device: DeviceId) -> Session | None:
        """The session that a device speaks in."""
        return self._current.get(device)

    def judge(self, data: Data, merged: Merged) -> Uplink | Doubt:
        """What an uplink is; one that is believed moves the session's counter on, and a new session takes over with it.

        The last one once more is its device's repetition for a while, and then played back.
        """
        sessions = self._by_addr.get(data.dev_addr, ())
        best = merged.best
        found = uplinks.judged(data, best, sessions, self.plan)
        if isinstance(found, Doubt):
            return found
        session = found.session
        if found.again:
            answered = session.hears_again(best.heard_s, airtime_us(len(best.phy), best.rate))
            return found if answered else Doubt(Refused.REPLAYED, session)
        session.hears(found.f_cnt, best.heard_s)
        if self._pending.get(session.device) is session:
            return replace(found, ends=(self._take_over(session),))
        return found

    def join(self, request: JoinRequest) -> tuple[Root, Joined] | Refused:
        """A new session, which counts once it is written down and the device has used it; or why none."""
        root = self.root(request.dev_eui)
        if root is None:
            return Refused.UNKNOWN_DEVICE
        if root.dev_eui != request.dev_eui:
            return Refused.REVERSED_EUI
        refused = joining.believed(root, request)
        if refused is not None:
            return refused
        made = joining.joined(root, request, self.plan, self._free, self.plan.rx2.dr)
        root.join_nonce = made.join_nonce
        root.nonces = root.nonces | {made.dev_nonce}
        return root, made

    def welcome(self, session: Session) -> list[Session]:
        """A session that is on disk: its device may speak in it, or still in the one before it.

        Returns:
            one that the device never spoke in and never will: it is over, and its record is to go.
        """
        before = self._pending.pop(session.device, None)
        if before is not None:
            self._strike(before)
        if session.device in self._current:
            self._pending[session.device] = session
        else:
            self._current[session.device] = session
        self._by_addr[session.dev_addr].append(session)
        return [] if before is None else [before]

    def _take_over(self, session: Session) -> Session:
        """The device speaks in its new session: the old one ends."""
        before = self._current.pop(session.device)
        self._strike(before)
        del self._pending[session.device]
        self._current[session.device] = session
        return before

    def _strike(self, session: Session) -> None:
        """An address that nobody has any more is forgotten, too."""
        sharing = self._by_addr[session.dev_addr]
        sharing.remove(session)
        if not sharing:
            del self._by_addr[session.dev_addr]

    def _free(self) -> DevAddr:
        """An address, of nobody else's if one is found soon; the MIC tells those apart that share one."""
        for _ in range(16):
            found = DevAddr(self._dice(_ADDRESSES).to_bytes(4, "big"))
            if not self._by_addr.get(found):
                break
        return found
