"""Identifiers that know their byte order: shown big endian, sent little endian (LoRaWAN 1.0.4 §4, 1.1 §4)."""

from typing import ClassVar, Self


class _Identifier(bytes):
    """Some bytes, as people write them: the most significant first."""

    SIZE: ClassVar[int]

    def __new__(cls, shown: bytes) -> Self:
        """Of bytes in the order in which they are written.

        Raises:
            ValueError: not of this length.
        """
        if len(shown) != cls.SIZE:
            raise ValueError(f"{cls.__name__} has {cls.SIZE} bytes")
        return super().__new__(cls, shown)

    @classmethod
    def of(cls, text: str) -> Self:
        """Of hexadecimal digits as people write them, with or without `-`, `:` and blanks between.

        Raises:
            ValueError: none, or not of this length.
        """
        return cls(bytes.fromhex(text.replace("-", "").replace(":", "").strip()))

    @classmethod
    def sent(cls, wire: bytes) -> Self:
        """Of bytes as they stand in a frame."""
        return cls(wire[::-1])

    @property
    def wire(self) -> bytes:
        """As they stand in a frame."""
        return self[::-1]

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex()})"


class Eui(_Identifier):
    """A DevEUI or a JoinEUI (AppEUI): 64 bits."""

    SIZE = 8


class DevAddr(_Identifier):
    """A device's address in one network; several devices may have the same."""

    SIZE = 4


class NetId(_Identifier):
    """A network's number."""

    SIZE = 3


class JoinNonce(_Identifier):
    """The server's number of a join (AppNonce in 1.0)."""

    SIZE = 3


class DevNonce(_Identifier):
    """The device's number of a join."""

    SIZE = 2
