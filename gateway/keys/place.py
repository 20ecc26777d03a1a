"""Where the keys of a state directory lie: never inside it."""

import os
from collections.abc import Mapping
from pathlib import Path

from gateway.model.errors import Refusal

SERVICE_ROOT = Path("/etc/sekisho/keys")


def default_root(environ: Mapping[str, str], service_root: Path = SERVICE_ROOT) -> Path:
    """The keys root where none is configured.

    `/etc/sekisho/keys` where it exists and belongs to this user or this user is root (so a service
    finds it), else `$XDG_CONFIG_HOME/sekisho/keys`, else `~/.config/sekisho/keys`.
    """
    try:
        ours = os.geteuid() in (0, service_root.stat().st_uid)
    except OSError:
        ours = False
    if ours:
        return service_root
    configured = environ.get("XDG_CONFIG_HOME", "")
    home = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return home / "sekisho" / "keys"


def refuse_inside(root: Path, state: Path) -> None:
    """Refuse a keys root that lies in the state directory: a copy of one would hold both.

    Raises:
        Refusal: it does.
    """
    if root.resolve().is_relative_to(state.resolve()):
        raise Refusal(
            f"The keys root {root} lies inside the state directory {state}: whoever copied the "
            "rows would copy the keys with them. Choose a place outside (setting keys, or --keys).",
            exit_code=2,
        )
