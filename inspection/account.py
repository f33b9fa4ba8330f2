"""Whose account on this machine a command runs under: noted beside every step that a person takes."""

from __future__ import annotations

import getpass


def machine_account() -> str:
    """Return the login name on this machine, empty where the system knows none (as in some containers)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
