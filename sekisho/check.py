"""`sekisho check`: everything that is wrong with a configuration, or that nothing is."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.app.begun import WAYS_OUT, Begun
from gateway.clock import SystemClock
from gateway.counting.ledger import standings
from gateway.model.errors import Refusal
from gateway.model.instant import to_datetime
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.policy import Policy
from gateway.registry.family_book import kinds_in
from gateway.registry.generations import Zones, contradiction, remembered
from gateway.rules.canonical import digest
from gateway.rules.words import UNIT
from gateway.settings.complaints import complain
from gateway.settings.document import Document
from gateway.settings.load import Settings, SettingsError, load_settings
from gateway.settings.rule_set import name_of
from gateway.statedir import StateDir
from gateway.stores.counters import CounterFiles
from gateway.stores.ledger_file import LedgerFile
from gateway.stores.releases import Releases
from sekisho import place, screen
from sekisho.cautions import notes
from sekisho.examples import run
from sekisho.place import DEFAULT_CONFIG, Json, Quiet
from sekisho.release_account import of_before
from sekisho.scripts import declared


def check(
    config: Annotated[Path, typer.Argument(metavar="CONFIG")] = DEFAULT_CONFIG,
    *,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check a configuration, the files it names, and its examples; starts nothing.

    Examples stand in tests/*.yaml beside it: uplinks in, and what must become
    of them. They run through its own decoders and mask, in memory alone.

    Every fault, and every example that does not hold, is printed as
    file:line:column with a sentence; exit code 2 if there is one.
    """
    try:
        settings = load_settings(config, to_datetime(SystemClock().now()))
        noted = [*_epoch(settings), *_ledger(settings), *_counters(settings)]
        declared(settings)
        held, differing = run(settings)
        if differing:
            raise SettingsError(differing)
    except SettingsError as error:
        if not json:
            raise
        screen.document({"ok": False, "faults": [fault._asdict() for fault in error.complaints]})
        raise typer.Exit(error.exit_code) from None
    if json:
        screen.document(
            {
                "ok": True,
                "faults": [],
                "ruleset": digest(settings.rules),
                "in_force": settings.policy.ruleset,
                "kinds": [one.kind.name for one in settings.kinds],
                "examples": held,
                "notes": [*notes(settings), *noted],
            }
        )
    elif not quiet:
        _report(settings, held, [*notes(settings), *noted])


def _epoch(settings: Settings) -> list[str]:
    """Hold zones against those that the state directory remembers of their epoch; a note where nobody could.

    Raises:
        SettingsError: they are others.
    """
    epoch, registry = settings.policy.epoch, settings.state / "registry.db"
    if epoch is None or not registry.is_file():
        return []
    before = remembered(registry, epoch)
    if before is None:
        unseen = f"{registry} could not be read, so whether its zones are those of epoch {epoch} is seen at the start"
        return [f"{unseen}: check as the user whose gateway it is"]
    wrong = contradiction(before, Zones(epoch, settings.policy.frozen))
    if wrong is None:
        return []
    document = Document(settings.file)
    document.read()
    raise SettingsError([complain(document, ("privacy",), wrong)])


def _ledger(settings: Settings) -> list[str]:
    """Read the ledger of releases; a note for each whose reviews nobody signed.

    Raises:
        SettingsError: it was changed, and the gateway would not start on it.
    """
    try:
        entries = LedgerFile(settings.state / "releases", SystemClock()).entries()
    except OSError:
        return []  # that it could not be seen is said of the counters
    except Refusal as refusal:
        document = Document(settings.file)
        document.read()
        where = document.known(("state",))
        raise SettingsError([complain(document, where, str(refusal))]) from None
    return of_before(standings(entries))


def _counters(settings: Settings) -> list[str]:
    """Hold counters that an earlier run left against the rules; a note where nobody could.

    Raises:
        SettingsError: the gateway could not go on with them.
    """
    try:
        directory = StateDir.open(settings.state)
        ring = place.ring_of(directory, None, settings)
    except Refusal:
        return []  # nothing has run yet, or what is missing is said elsewhere
    clock = SystemClock()
    try:
        kinds = {one.kind for one in settings.entries.devices} | kinds_in(directory.registry_db)
        closed = Releases(directory.releases_dir, clock, settings.zone).standings()
        files = CounterFiles(directory.counting_dir)
        begun = Begun(settings.counted, files, ring.periods, kinds)
        found = begun.in_the_way([f"{name}-{period}" for name, period in closed])
    except (OSError, Refusal, KeysUnavailable):
        unseen = f"counters in {directory.counting_dir} could not be read, so whether they can be gone on with"
        return [f"{unseen} is seen at the start: check as the user whose gateway it is"]
    if not found:
        return []
    document = Document(settings.file)
    document.read()
    raise SettingsError([complain(document, ("privacy",), WAYS_OUT + "\n".join(found))])


def _report(settings: Settings, held: int, noted: list[str]) -> None:
    policy, entries = settings.policy, settings.entries
    listening = [
        f"{door.name} {door.bind} {_ports(door.port, door.tls)}"
        for door in (*settings.doors, *settings.pushes, *settings.stations)
    ]
    udp = [f"{door.name} {door.bind} port {door.port}, UDP" for door in settings.udp]
    doors = ", ".join([*listening, *udp])
    rules = f"{name_of(settings.rules)}: {_hidden(policy)} (in force with area and time zone: {policy.ruleset[:12]})"
    devices = (
        f"{screen.count(len(entries.devices), 'device')}, "
        f"{screen.count(len(entries.credentials), 'credential')} in the configuration"
    )
    radio = settings.lorawan and (
        f"{settings.lorawan.plan.name}, {screen.count(len(settings.lorawan.forwarders), 'forwarder')}"
    )
    screen.facts(
        [
            ("ok doors", doors),
            ("ok brokers", _brokers(settings)),
            ("ok lorawan", radio),
            ("ok state", settings.state),
            ("ok rules", rules),
            ("ok counting", _counted(settings)),
            ("ok devices", devices),
            ("ok kinds", _kinds(settings)),
            ("ok codecs", ", ".join(one.codec.name for one in settings.codecs) or None),
            ("ok examples", f"{screen.count(held, 'example')} hold" if held else None),
        ]
    )
    for note in noted:
        print(f"  note: {note}")


def _hidden(policy: Policy) -> str:
    """What rows about children never say, and how long they stay."""
    if not policy.keeps_ways:
        return "no rows about children"
    where = f"within {policy.home_radius_m:g} m of home"
    if policy.zoned is not None:
        name = policy.zoned.partition.id
        where = f"in the household's zone of {name}, nor within {policy.buffer_m:g} m of it"
    return f"nothing {where}, rows stay {screen.count(policy.retain_days, 'day')}"


def _counted(settings: Settings) -> str | None:
    """What is counted: by what, and how often it is told."""
    return (
        ", ".join(
            f"{plan.name} by {UNIT[plan.rule.unit]}, told once a {plan.rule.period.replace('_', ' ')}"
            for plan in settings.counted
        )
        or None
    )


def _brokers(settings: Settings) -> str | None:
    """The brokers of others that the gateway will subscribe at, and what is accepted in words."""
    return (
        ", ".join(
            f"{broker.name} {broker.url} ({screen.count(len(broker.subscriptions), 'subscription')}"
            + (", raw positions accepted" if broker.raw_on_broker_accepted else "")
            + ")"
            for broker in settings.brokers
        )
        or None
    )


def _kinds(settings: Settings) -> str | None:
    """The kinds that the configuration declares; their examples were proven while they were read."""
    return (
        ", ".join(
            f"{one.kind.name} ({screen.count(len(one.kind.examples), 'example')})"
            for one in settings.kinds
        )
        or None
    )


def _ports(plain: int | None, tls: object) -> str:
    port = getattr(tls, "port", None)
    return " and ".join(
        text
        for text in ("" if plain is None else f"port {plain}", f"TLS port {port}" if tls else "")
        if text
    )
