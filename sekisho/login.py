"""Which account of this machine somebody has: the one that they logged in by, whatever they have become since."""

import os
import pwd
from pathlib import Path

_LOGIN = Path("/proc/self/loginuid")
_NOBODY = (1 << 32) - 1


def account() -> str:
    """By the kernel's word where it keeps one (`loginuid`, which `su` and `sudo` leave as it is), else by sudo's
    (`SUDO_UID`), else that of this process.
    """
    uid = _logged_in()
    if uid is None:
        said = os.environ.get("SUDO_UID", "")
        uid = int(said) if said.isdecimal() else os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"user {uid}"


def _logged_in() -> int | None:
    try:
        uid = int(_LOGIN.read_text())
    except (OSError, ValueError):  # no Linux, or a kernel that does not keep it
        return None
    return None if uid == _NOBODY else uid
