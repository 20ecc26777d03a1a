"""Framing as pure functions: bytes in, values out; nothing here can block."""
