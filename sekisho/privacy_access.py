"""`sekisho privacy access`: everything that is held of a household, for its guardians to take along."""

import json as jsonlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.erasure import Erasure
from gateway.app.erasure_proof import NOBODY_CAN_TELL
from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns
from gateway.model.device import Household
from gateway.model.errors import Refusal
from gateway.model.instant import to_rfc3339
from gateway.privacy.keysource import KeysUnavailable
from gateway.registry.family_book import Held
from gateway.statedir import write_durably
from gateway.stores import people
from sekisho import asking, looking, place, screen
from sekisho.place import Config, Json, Keys, Place, Quiet, State
from sekisho.rows import Wanted, of_file
from sekisho.sealed_rows import SealedRows

_NEVER = ("identity", "pseudonym")
"""Columns by which the store knows a row; of no use to a family."""


def access(
    household: Annotated[
        str,
        typer.Argument(metavar="HOUSEHOLD", show_default=False, help="Its name in the registry."),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write everything into this file, as JSON; mode 0600.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hand over what is held of a household: home, devices, consents, rows; and name what nobody can find.

    Hand it to nobody but its guardians: rows are masked, the home is exact where it is still known.
    """
    here = place.find(state, keys, config)
    target = None if out is None else place.replaceable("--out", out, force=force)
    if target is not None:
        place.refuse_inside(target, here.state)
    try:
        held = _held(here, household)
    except KeysUnavailable as error:
        raise Refusal(f"The households' keys cannot be read ({error.why}).") from error
    rows = sum(len(found) for found in held["rows"].values())
    looking.note(here.state, here.keys, "access", "a family asked what is held of it", rows=rows)
    if target is not None:
        text = jsonlib.dumps(held, ensure_ascii=False, indent=1)
        try:
            write_durably(target, f"{text}\n".encode(), 0o600)
        except OSError as error:
            raise Refusal(f"{out} cannot be written: {error.strerror}.") from None
    if json:
        screen.document(held)
    elif not quiet:
        _tell(held, out)


def _held(here: Place, household: str) -> dict[str, Any]:
    with here.registry() as registry:
        known = registry.families.held(household)
        guardians = registry.families.guardians(household)
        traces = registry.families.traces(household)
    if not any(traces) and here.keys.households.key(household) is None:
        raise Refusal(
            f"Nothing is held of a household {household}. It may have been erased, or be spelt otherwise."
        )
    return {
        "household": household,
        **_of_registry(known, here),
        "guardians": [
            {"name": one.name, "endpoint": one.subscription.endpoint} for one in guardians
        ],
        "rows": {
            kind.name: list(_rows(here, household, known, kind))
            for kind in catalog().values()
            if kind.personal
        },
        "cannot_be_found": [*NOBODY_CAN_TELL, *_nobodys(here)],
    }


def _of_registry(known: Held, here: Place) -> dict[str, Any]:
    zone = place.zone_of(here.settings)
    return {
        "home": _place(known.home),
        "former_homes": [
            {**(_place(one.place) or {}), "left_at": to_rfc3339(one.left_at, zone)}
            for one in known.former
        ],
        "devices": [
            {
                "device": row.device,
                "kind": row.kind,
                "name": row.name,
                "registered_at": to_rfc3339(row.registered_at, zone),
                **row.attributes,
            }
            for row in known.devices
        ],
        "consents": [
            {
                "device": one.device,
                "lane": one.purpose,
                "granted_by": one.granted_by,
                "to_the_words": one.text,
                "at": to_rfc3339(one.at, zone),
                "withdrawn_at": one.withdrawn_at and to_rfc3339(one.withdrawn_at, zone),
            }
            for one in known.consents
        ],
    }  # fmt: skip


def _place(home: Household | None) -> dict[str, Any] | None:
    if home is None:
        return None
    lat, lon = (None, None) if home.home is None else (home.home.lat, home.home.lon)
    return {"lat": lat, "lon": lon, "radius_m": home.radius_m, "zone": home.zone}


def _rows(here: Place, household: str, known: Held, kind: DeviceKind) -> Iterator[dict[str, Any]]:
    """The household's rows: sealed ones by its key, plain ones by the pseudonyms of its devices."""
    zone = place.zone_of(here.settings)
    columns = [column.name for column in table_columns(kind)]
    devices = {row.device for row in known.devices} | {one.device for one in known.consents}
    of = Erasure(household, None, tuple(sorted(devices)), (), 0)
    sealed = SealedRows.of_household(here.keys, household) if here.state.sealed else None
    for file in sorted(here.state.personal_dir.glob("*.db")):
        names = None if sealed else set(of.pseudonyms(file, here.keys))
        for row in of_file(file, Wanted(kind), sealed):
            said = dict(zip(columns, row, strict=True))
            if names is None or said.get("pseudonym") in names:
                yield {
                    name: asking.cell(name, value, zone)
                    for name, value in said.items()
                    if name not in _NEVER
                }


def _nobodys(here: Place) -> list[str]:
    """Plain rows whose rules keep no pseudonym."""
    found = sum(people.nobodys(path) for path in here.state.personal_dir.glob("*.db"))
    return [f"plain rows that bear no pseudonym: {found:,}"] if found else []


def _home(home: Mapping[str, Any] | None) -> str:
    """What is known of a home, in words."""
    if home is None:
        return "none"
    if home["zone"] is None:
        return "known"
    return "its zone alone" if home["zone"] else "that it lies in no zone, alone"


def _tell(held: dict[str, Any], out: Path | None) -> None:
    home = held["home"]
    rows = {kind: len(found) for kind, found in held["rows"].items() if found}
    screen.facts(
        [
            ("household", held["household"]),
            ("home", _home(home)),
            ("former homes", len(held["former_homes"]) or None),
            ("devices", ", ".join(row["device"] for row in held["devices"]) or "none"),
            ("consents", f"{len(held['consents'])} recorded, withdrawn ones too"),
            ("guardians", ", ".join(one["name"] for one in held["guardians"]) or None),
            *(("rows", f"{count:,} of {kind}") for kind, count in rows.items()),
            *((("rows", "none"),) if not rows else ()),
            *(("not found", said) for said in held["cannot_be_found"]),
            ("file", out),
        ]
    )
    if out is None:
        print("All of it: --out FILE, or --json. It is for the guardians of this household alone.")
