"""The tables of MQTT: packet types (§2.1.2) and reason codes (§2.4)."""

from enum import IntEnum


class Type(IntEnum):
    """MQTT Control Packet types, §2.1.2, table 2-1."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Code(IntEnum):
    """Reason codes that Sekisho sends or must understand, §2.4, table 2-6."""

    SUCCESS = 0x00
    GRANTED_QOS_1 = 0x01
    NO_SUBSCRIPTION_EXISTED = 0x11
    UNSPECIFIED = 0x80
    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID_NOT_VALID = 0x85
    BAD_CREDENTIALS = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_BUSY = 0x89
    SHUTTING_DOWN = 0x8B
    BAD_AUTH_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_NAME_INVALID = 0x90
    PACKET_ID_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    QUOTA_EXCEEDED = 0x97
    PAYLOAD_FORMAT_INVALID = 0x99
    SHARED_NOT_SUPPORTED = 0x9E
    SUBSCRIPTION_IDS_NOT_SUPPORTED = 0xA1
    WILDCARDS_NOT_SUPPORTED = 0xA2


FLAGS = {
    Type.PUBREL: 2,
    Type.SUBSCRIBE: 2,
    Type.UNSUBSCRIBE: 2,
}
"""Fixed header flags that are not zero, §2.1.3 (PUBLISH carries its own)."""

CONNACK_311 = {
    Code.SUCCESS: 0,
    Code.UNSUPPORTED_VERSION: 1,
    Code.CLIENT_ID_NOT_VALID: 2,
    Code.SERVER_UNAVAILABLE: 3,
    Code.SERVER_BUSY: 3,
    Code.QUOTA_EXCEEDED: 3,
    Code.BAD_CREDENTIALS: 4,
    Code.NOT_AUTHORIZED: 5,
}
"""What MQTT 3.1.1 has for the reasons of a CONNACK, 3.1.1 §3.2.2.3, table 3.1."""
