"""The data types inside a packet's body (§1.5) and its properties (§2.2.2)."""

from typing import Any

from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Properties


class Broken(Exception):
    """A packet's body breaks the standard; carries the reason code and one sentence."""

    def __init__(self, sentence: str, reason: Code = Code.MALFORMED) -> None:
        super().__init__(sentence)
        self.reason = reason


class Body:
    """A cursor over one packet's body; every read raises `Broken` where bytes are missing."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.pos

    def take(self, n: int) -> bytes:
        start, self.pos = self.pos, self.pos + n
        if self.pos > len(self.data):
            raise Broken("the packet ends inside a field")
        return self.data[start : self.pos]

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def binary(self) -> bytes:
        return self.take(self.u16())

    def text(self) -> str:
        """UTF-8 string, §1.5.4: no surrogates, no U+0000."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise Broken("a string is not UTF-8") from None
        if "\0" in text:
            raise Broken("a string holds U+0000")
        return text

    def varint(self) -> int:
        """Variable byte integer, §1.5.5: at most four bytes, in the shortest form."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    raise Broken("a variable byte integer is longer than it need be")
                return value
        raise Broken("a variable byte integer has more than four bytes")

    def properties(self, allowed: frozenset[int]) -> Properties:
        """The properties field, §2.2.2: those `allowed`, none twice but the user property."""
        end = self.varint() + self.pos
        if end > len(self.data):
            raise Broken("the properties end outside the packet")
        found: Properties = {}
        while self.pos < end:
            number = self.varint()
            if number not in PROPERTIES:
                raise Broken(f"property 0x{number:02x} does not exist")
            if number not in allowed:
                raise Broken(f"property 0x{number:02x} has no place here", Code.PROTOCOL_ERROR)
            value = READERS[PROPERTIES[number]](self)
            if (number in _YES_OR_NO and value > 1) or (number in _NEVER_ZERO and not value):
                raise Broken(f"property 0x{number:02x} is {value}", Code.PROTOCOL_ERROR)
            if number == USER_PROPERTY:
                found.setdefault(number, []).append(value)
            elif number in found:
                raise Broken(f"property 0x{number:02x} stands twice", Code.PROTOCOL_ERROR)
            else:
                found[number] = value
        if self.pos != end:
            raise Broken("a property ends outside the properties")
        return found


MESSAGE_EXPIRY = 0x02
SUBSCRIPTION_ID = 0x0B
SESSION_EXPIRY = 0x11
ASSIGNED_CLIENT_ID = 0x12
SERVER_KEEP_ALIVE = 0x13
AUTH_METHOD = 0x15
AUTH_DATA = 0x16
REASON_STRING = 0x1F
RECEIVE_MAXIMUM = 0x21
TOPIC_ALIAS_MAXIMUM = 0x22
TOPIC_ALIAS = 0x23
MAXIMUM_QOS = 0x24
RETAIN_AVAILABLE = 0x25
USER_PROPERTY = 0x26
MAXIMUM_PACKET_SIZE = 0x27
WILDCARD_AVAILABLE = 0x28
SUBSCRIPTION_ID_AVAILABLE = 0x29
SHARED_AVAILABLE = 0x2A

PROPERTIES = {  # §2.2.2.2, table 2-4
    0x01: "u8", MESSAGE_EXPIRY: "u32", 0x03: "text", 0x08: "text", 0x09: "binary",
    SUBSCRIPTION_ID: "varint",
    SESSION_EXPIRY: "u32", ASSIGNED_CLIENT_ID: "text", SERVER_KEEP_ALIVE: "u16",
    AUTH_METHOD: "text", AUTH_DATA: "binary", 0x17: "u8", 0x18: "u32", 0x19: "u8", 0x1A: "text",
    0x1C: "text", REASON_STRING: "text", RECEIVE_MAXIMUM: "u16", TOPIC_ALIAS_MAXIMUM: "u16",
    TOPIC_ALIAS: "u16", MAXIMUM_QOS: "u8", RETAIN_AVAILABLE: "u8", USER_PROPERTY: "pair",
    MAXIMUM_PACKET_SIZE: "u32", WILDCARD_AVAILABLE: "u8", SUBSCRIPTION_ID_AVAILABLE: "u8",
    SHARED_AVAILABLE: "u8",
}  # fmt: skip
"""Property identifier → data type."""

_YES_OR_NO = frozenset((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A))
"""Properties that are 0 or 1, and nothing else, wherever they stand (§2.2.2.2 and the packets' own)."""

_NEVER_ZERO = frozenset((SUBSCRIPTION_ID, RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE))
"""Properties of which 0 is a protocol error."""

OF_CONNECT = frozenset(
    (
        SESSION_EXPIRY,
        AUTH_METHOD,
        AUTH_DATA,
        0x17,
        0x19,
        RECEIVE_MAXIMUM,
        TOPIC_ALIAS_MAXIMUM,
        USER_PROPERTY,
        MAXIMUM_PACKET_SIZE,
    )
)
OF_WILL = frozenset((0x01, MESSAGE_EXPIRY, 0x03, 0x08, 0x09, 0x18, USER_PROPERTY))
OF_CONNACK = frozenset(
    (
        SESSION_EXPIRY,
        ASSIGNED_CLIENT_ID,
        SERVER_KEEP_ALIVE,
        AUTH_METHOD,
        AUTH_DATA,
        0x1A,
        0x1C,
        REASON_STRING,
        RECEIVE_MAXIMUM,
        TOPIC_ALIAS_MAXIMUM,
        MAXIMUM_QOS,
        RETAIN_AVAILABLE,
        USER_PROPERTY,
        MAXIMUM_PACKET_SIZE,
        WILDCARD_AVAILABLE,
        SUBSCRIPTION_ID_AVAILABLE,
        SHARED_AVAILABLE,
    )
)
OF_PUBLISH = frozenset((0x01, MESSAGE_EXPIRY, 0x03, 0x08, 0x09, TOPIC_ALIAS, USER_PROPERTY))
OF_ACK = frozenset((REASON_STRING, USER_PROPERTY))
OF_SUBSCRIBE = frozenset((SUBSCRIPTION_ID, USER_PROPERTY))
OF_UNSUBSCRIBE = frozenset((USER_PROPERTY,))
OF_DISCONNECT = frozenset((SESSION_EXPIRY, 0x1C, REASON_STRING, USER_PROPERTY))
OF_AUTH = frozenset((AUTH_METHOD, AUTH_DATA, REASON_STRING, USER_PROPERTY))
"""Which packet may carry which property, §2.2.2.2, table 2-4."""

READERS: dict[str, Any] = {
    "u8": Body.u8,
    "u16": Body.u16,
    "u32": Body.u32,
    "text": Body.text,
    "binary": Body.binary,
    "varint": Body.varint,
    "pair": lambda body: (body.text(), body.text()),
}


def put_varint(value: int) -> bytes:
    """A variable byte integer, §1.5.5."""
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def put_binary(value: bytes) -> bytes:
    """Binary data or an encoded string, §1.5.6, §1.5.4."""
    return len(value).to_bytes(2, "big") + value


def put_properties(properties: Properties) -> bytes:
    """The properties field of a packet."""
    out = bytearray()
    for number, value in properties.items():
        kind = PROPERTIES[number]
        for item in value if kind == "pair" else (value,):
            out += put_varint(number) + _WRITERS[kind](item)
    return put_varint(len(out)) + bytes(out)


_WRITERS: dict[str, Any] = {
    "u8": lambda v: v.to_bytes(1, "big"),
    "u16": lambda v: v.to_bytes(2, "big"),
    "u32": lambda v: v.to_bytes(4, "big"),
    "text": lambda v: put_binary(v.encode()),
    "binary": put_binary,
    "varint": put_varint,
    "pair": lambda v: put_binary(v[0].encode()) + put_binary(v[1].encode()),
}
