"""`sekisho devices`: one device at a time; `admission` and `registration` have the other verbs."""

from collections.abc import Mapping
from typing import Annotated

import typer

from gateway.devices.codecs import codec, codec_fault, codec_names
from gateway.model.errors import Refusal
from gateway.model.instant import Instant, to_rfc3339
from gateway.registry.device_rows import DeviceRow
from gateway.registry.registry import Registry
from gateway.registry.words import nearest
from sekisho import admission, completion, consented, facts, place, registration, screen, try_line
from sekisho.consented import Known
from sekisho.following import Followed, follow
from sekisho.homes import lacking
from sekisho.place import Config, Json, Keys, Quiet, State
from sekisho.radio_keys import import_keys

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

DeviceArgument = Annotated[str, typer.Argument(metavar="DEVICE", show_default=False)]
Household = Annotated[
    str | None, typer.Option(metavar="NAME", help="Whose it is, for personal kinds.")
]
Name = Annotated[str | None, typer.Option(metavar="TEXT", help="What people call it.")]
Attribute = Annotated[
    list[str],
    typer.Option(
        "--attribute", "-a", metavar="NAME=VALUE", help="A fact of its kind, as datum_m=4.2."
    ),
]


@app.callback()
def devices() -> None:
    """Register devices, homes and consents."""


_IMPORT_KEYS = "sekisho devices import-keys FILE  (dev_eui,version,app_key)"


def _by_air(here: place.Place, given: Mapping[str, object], credential: str | None) -> bool:
    """Whether it will speak through forwarders of ours: it needs keys then, and no credential."""
    settings = here.settings
    if settings is None or settings.lorawan is None or settings.pushes:
        return False
    return "dev_eui" in given and credential is None


@app.command()
def add(
    device: DeviceArgument,
    kind: Annotated[
        str,
        typer.Option(
            "--kind", "-k", metavar="KIND", show_default=False, autocompletion=completion.kinds
        ),
    ],
    *,
    attribute: Attribute = [],  # noqa: B006 - typer reads it, nobody writes it
    household: Household = None,
    name: Name = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Municipality. Default: the configuration's."),
    ] = None,
    credential: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Who speaks for it. Default: a new one with the device's name."
        ),
    ] = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but a new token.")
    ] = False,
) -> None:
    """Register a device, let a credential speak for it, and show how to send as it."""
    here = place.find(state, keys, config)
    now = here.clock.now()
    user = credential or device
    with here.registry() as registry:
        if any(row.device == device for row in registry.devices()):
            raise Refusal(
                f"{device} is registered already. Change it with sekisho devices set {device}, "
                f"or give it a new token with sekisho devices token {user}."
            )
        owner = owner or facts.owner(here.settings, registry)
        given = facts.attributes(kind, attribute)
        _refuse_codec(here, kind, given)
        with registry.change():
            registry.put_device(device, kind, owner, now, household, attributes=given, name=name)
            by_air = _by_air(here, given, credential)
            token = None if by_air else _speak(registry, user, device, now)
    followed = follow(here.state)
    _require_restart(followed, kind)
    line = None if by_air else try_line.publish(here, (user, token), device, kind, given, now)
    if json:
        speaks = None if by_air else user
        screen.document(
            {"device": device, "kind": kind, "user": speaks, "token": token, "try": line}
        )
        return
    if quiet:
        if token is not None:
            print(token)
        return
    print(f"{device} is registered as {kind}.")
    shown = "as before" if token is None else f"{token}  (shown once, kept nowhere)"
    mark = here.state.mark or "not marked"
    state_line = ("state", f"{here.state.path} ({mark})")
    if by_air:
        screen.facts([state_line, ("next", f"its LoRaWAN keys: {_IMPORT_KEYS}")])
    else:
        screen.facts([state_line, ("user", user), ("token", shown), ("try", line)])
    if facts.needs_household(kind):
        print(registration.missing_for(device, household))
    elif hint := facts.hint(kind, given):
        print(hint)


@app.command("list")
def list_(
    *, state: State = None, keys: Keys = None, config: Config = None, json: Json = False
) -> None:
    """List all devices."""
    here = place.find(state, keys, config)
    with here.registry() as registry:
        rows = registry.devices()
        known = consented.known(here, registry)
    if json:
        screen.document([_described(row, known) for row in rows])
        return
    if not rows:
        print("No device is registered. sekisho devices add ID --kind KIND adds one.")
        return
    screen.table(
        ("device", "kind", "name", "household", "state", "set by"),
        [
            (row.device, row.kind, row.name, row.household, _state(row, known), row.source)
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def show(
    device: DeviceArgument,
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show what is known of one device."""
    here = place.find(state, keys, config)
    with here.registry() as registry:
        row = registry.device(device)
        known = consented.known(here, registry)
        speakers = [name for name, known in registry.credentials().items() if device in known]
    if json:
        screen.document({**_described(row, known), "credentials": speakers})
        return
    zone = place.zone_of(here.settings)
    screen.facts(
        [
            ("device", row.device),
            ("kind", row.kind),
            ("name", row.name),
            ("owner", row.owner),
            ("household", row.household),
            *sorted(row.attributes.items()),
            ("registered", to_rfc3339(row.registered_at, zone)),
            ("set by", f"{row.source}, {to_rfc3339(row.changed_at, zone)}"),
            ("revoked", row.revoked_at and to_rfc3339(row.revoked_at, zone)),
            ("speaks as", ", ".join(speakers) or "nobody"),
            ("consents", ", ".join(sorted(known.consents.get(row.device, ()))) or None),
            ("missing", lacking(row, *known) or None),
        ]
    )


@app.command("set")
def set_(
    device: DeviceArgument,
    *,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="KIND",
            help="What it really is; facts of the kind before are dropped.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    attribute: Attribute = [],  # noqa: B006 - typer reads it, nobody writes it
    household: Household = None,
    name: Name = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Change what is known of a device; an import will not undo it. In another household it has no name but a new one."""
    if not (kind or attribute or household or name):
        raise Refusal("Say what to change: --name, --kind, --attribute, --household.", exit_code=2)
    here = place.find(state, keys, config)
    with here.registry() as registry:
        row = registry.device(device)
        is_now = kind or row.kind
        kept = row.attributes if is_now == row.kind else {}
        given = {**kept, **facts.attributes(is_now, attribute)}
        whose = household or row.household
        named_by_them = row.household in (None, whose)
        _refuse_codec(here, is_now, given)
        registry.put_device(
            *(device, is_now, row.owner, row.registered_at, whose),
            attributes=given,
            name=name or (row.name if named_by_them else None),
            changed_at=here.clock.now(),
        )
    followed = follow(here.state)
    _require_restart(followed, is_now)
    if not quiet:
        print(f"{device} is changed. {followed.sentence}")


app.command("token")(admission.token)
app.command("revoke")(admission.revoke)
app.command("restore")(admission.restore)
app.command("revoke-credential")(admission.revoke_credential)
app.command("import")(registration.import_)
app.command("import-homes")(registration.import_homes)
app.command("import-keys")(import_keys)
app.command("consent")(registration.consent)
app.command("withdraw")(registration.withdraw)


def _speak(registry: Registry, user: str, device: str, now: Instant) -> str | None:
    """Let a credential speak for a new device; its token if the credential is new too."""
    if user in registry.credentials():
        registry.allow(user, device, now)
        return None
    return registry.put_credential(user, [device], at=now)


def _refuse_codec(here: place.Place, kind: str, given: Mapping[str, str | float | bool]) -> None:
    """Refuse a codec that nobody has, or that is another kind's; where no configuration is there to declare
    some, only the latter.

    Raises:
        Refusal: names the nearest one.
    """
    name = str(given.get("codec", ""))
    if not name or (here.settings is None and codec(name) is None):
        return
    if (fault := codec_fault(kind, name)) is not None:
        hint = "" if codec(name) else nearest(name, codec_names(), unless="")
        raise Refusal(f"codec: {fault}{hint} sekisho codec list shows them all.", exit_code=2)


def _require_restart(followed: Followed, kind: str) -> None:
    """Say where the gateway that runs cannot hear a device of this kind: it was declared after its start."""
    if followed.kinds is not None and kind not in followed.kinds:
        screen.warn("The running gateway does not know this kind yet: restart it.")


def _state(row: DeviceRow, known: Known) -> str:
    """What a person should know of a device at a glance; "" where all is well."""
    if row.revoked_at is not None:
        return "revoked"
    missing = lacking(row, *known)
    if missing.startswith("zone"):
        return "lives in no zone" + missing.removeprefix("zone").replace(", ", ", lacks ", 1)
    return missing and f"lacks {missing}"


def _described(row: DeviceRow, known: Known) -> dict[str, object]:
    return {
        **row._asdict(),
        "registered_at": to_rfc3339(row.registered_at),
        "changed_at": to_rfc3339(row.changed_at),
        "revoked_at": row.revoked_at and to_rfc3339(row.revoked_at),
        "consents": sorted(known.consents.get(row.device, ())),
        "missing": lacking(row, *known) or None,
    }
