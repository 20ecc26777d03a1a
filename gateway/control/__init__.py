"""The gateway's own window: a 0600 socket through which `tail` and `demo` look in."""
