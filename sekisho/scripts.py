"""The vendors' JavaScript that a configuration declares: read, loaded once, and every fault of it named."""

import asyncio
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gateway.clock import SystemClock
from gateway.devices.catalog import catalog
from gateway.model.errors import Refusal
from gateway.scripts.conduct import Conduct
from gateway.scripts.messages import Answer
from gateway.scripts.workshop import Workshop
from gateway.settings.complaints import Complaint, SettingsError
from gateway.settings.load import Settings
from gateway.telemetry import Facts

_LARGEST = 1 << 20
"""Bytes of a script; the largest published ones have a fifth of it."""


def declared(settings: Settings) -> tuple[Conduct, ...]:
    """Every script that a declared codec names, loaded once as a trial.

    Raises:
        SettingsError: one cannot be read, is no JavaScript, or defines no codec.
        Refusal: the extra is not installed.
    """
    files = {
        Path(one.codec.script): one.script for one in settings.codecs if one.script is not None
    }
    if not files:
        return ()
    need_engine()
    kinds = catalog()
    personal = {Path(one.codec.script) for one in settings.codecs if kinds[one.codec.kind].personal}
    scripts, complaints = [], []
    for file, shown in files.items():
        try:
            scripts.append(Conduct(file, text_of(file), file in personal))
        except ValueError as error:
            complaints.append(Complaint(str(shown), 1, 1, "", str(error)))
    for script, answer in zip(scripts, asyncio.run(_loaded(scripts)), strict=True):
        if answer.fault is not None:
            said = f" ({answer.detail})" if answer.detail else ""
            sentence = f"{answer.fault.value}{said}."
            shown = files[script.file]
            complaints.append(Complaint(str(shown), answer.line or 1, 1, "", sentence))
    if complaints:
        raise SettingsError(complaints)
    return tuple(scripts)


def need_engine() -> None:
    """Raises `Refusal` where QuickJS-ng is not installed; `quickjs`, of the same module name, is another engine."""
    try:
        version("quickjs-ng")
    except PackageNotFoundError:
        raise Refusal(
            "Vendors' JavaScript needs an engine that is not installed: pip install 'sekisho[scripts]'",
            2,
        ) from None


def text_of(file: Path) -> str:
    """A script's text; raises `ValueError` with a sentence."""
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError(f"a script has {_LARGEST:,} bytes at most.")
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("this is no text in UTF-8.") from None
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror}).") from None


async def _loaded(scripts: Iterable[Conduct]) -> list[Answer]:
    scripts = list(scripts)
    shop = Workshop(scripts, Facts(), SystemClock())
    await shop.open()
    try:
        return [await shop.load(str(script.file)) for script in scripts]
    finally:
        await shop.close()
