"""Which rows somebody asks for, whether they may see them, and how a row is read."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Annotated, Any, TypeAlias

import typer

from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns
from gateway.model.errors import Refusal
from gateway.model.instant import SECOND, Instant, from_datetime, to_rfc3339
from gateway.statedir import StateDir
from sekisho import place
from sekisho.rows import Wanted
from sekisho.spans import length

TIMES = ("observed_at", "received_at", "minute")
"""Columns that hold times."""

Moment: TypeAlias = Annotated[str | None, typer.Option(metavar="TIME", show_default=False)]
Last: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        show_default=False,
        help="So long back from the gateway's clock, as 2h or 7d.",
    ),
]
Device: TypeAlias = Annotated[
    str | None, typer.Option(metavar="DEVICE", show_default=False, help="Rows of this one alone.")
]
Personal: TypeAlias = Annotated[
    bool,
    typer.Option("--personal", help="I may see rows about people, and have a reason to."),
]


def wanted(
    kind: DeviceKind,
    directory: StateDir,
    zone: tzinfo,
    times: tuple[str | None, str | None, str | None],
    device: str | None,
    limit: int | None,
    *,
    personal: bool,
) -> Wanted:
    """The rows that the options name.

    Args:
        times: --last, --since and --until.
        personal: whether whoever asks may see rows about people.

    Raises:
        Refusal: they may not; or the options make no sense together.
    """
    permit(kind, directory, device, personal=personal)
    last, begun, until = times
    asked = Wanted(
        kind,
        since(last, begun, directory, zone),
        moment("--until", until, zone),
        device,
        limit,
    )
    if asked.since is not None and asked.until is not None and asked.since >= asked.until:
        raise Refusal("No row lies there: --until is not after the beginning.", exit_code=2)
    return asked


def permit(kind: DeviceKind, directory: StateDir, device: str | None, *, personal: bool) -> None:
    if not kind.personal:
        return
    if device is not None:
        raise Refusal(
            f"Rows of {kind.name} name no device: they carry a pseudonym that changes with the file.",
            exit_code=2,
        )
    if directory.mark is None:
        require_word(kind, personal=personal)


def require_word(kind: DeviceKind, *, personal: bool) -> None:
    """Refuse whoever did not say that they may see people's rows."""
    if not personal:
        raise Refusal(
            f"Rows of {kind.name} are about people, masked and pseudonymous as they are. "
            "If it is your task to see them: --personal."
        )


def since(last: str | None, since: str | None, directory: StateDir, zone: tzinfo) -> Instant | None:
    if last is None:
        return moment("--since", since, zone)
    if since is not None:
        raise Refusal("--last and --since exclude each other.", exit_code=2)
    seconds = length("--last", last, below="no row comes out of the future.")
    since_then = place.clock_of(directory).now() - round(seconds * SECOND)
    if since_then < 0:
        raise Refusal(
            f"--last {last}: that begins before 1970, and no row is so old. Leave --last out to see all.",
            exit_code=2,
        )
    return since_then


def moment(option: str, text: str | None, zone: tzinfo) -> Instant | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise Refusal(
            f"{option} {text}: write a time as 2026-05-12T07:30 or 2026-05-12T07:30:00+09:00.",
            exit_code=2,
        ) from None


def readable(raw: Iterable[tuple[Any, ...]], kind: DeviceKind, zone: tzinfo) -> Iterator[list[Any]]:
    """Times as text in `zone`, bytes as hex, absent counters as None."""
    names = [column.name for column in table_columns(kind)]
    for row in raw:
        yield [cell(name, value, zone) for name, value in zip(names, row, strict=True)]


def cell(name: str, value: Any, zone: tzinfo) -> Any:
    if name in TIMES:
        return to_rfc3339(value, zone)
    if isinstance(value, bytes):
        return value.hex()
    return None if name == "counter" and value == -1 else value
