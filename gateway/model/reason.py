"""The closed lists of what can become of an uplink, and why: words for counters, ledgers and people."""

from enum import StrEnum


class Fate(StrEnum):
    """The terms of the conservation law (decisions 1): every uplink handed over has exactly one."""

    __hash__ = str.__hash__  # they are keys on the hot path, and an Enum's own hash is slow

    STORED = "stored"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"
    HELD = "held"
    COUNTED = "counted"
    REJECTED = "rejected"
    DROPPED = "dropped"


class Reason(StrEnum):
    """Why an uplink was rejected or suppressed. Values are what people read and what counters carry."""

    __hash__ = str.__hash__

    # rejected: the input's fault
    UNKNOWN_DEVICE = "unknown device"
    NOT_ALLOWED = "not this credential's device"
    UNKNOWN_TOPIC = "unknown topic"
    UNDECODABLE = "undecodable"
    OUT_OF_RANGE = "out of range"
    NO_READING = "no reading"
    UNDATED = "neither time nor counter"
    NO_CODEC = "no such codec"
    SCRIPT_STOPPED = "script stopped"
    RAW_ON_BROKER = "raw on another's broker"
    UNSTORABLE = "refused by the store"
    # suppressed: the mask's decision
    INSIDE_HOME = "inside the home radius"
    INSIDE_ZONE = "inside the household's zone"
    STAYING = "where it stayed"
    SHORT_RUN = "a run too short to keep"
    FORGOTTEN = "held, and not heard again"
    TOO_FAST = "faster than anybody walks"
    TOO_OLD = "older than the rules take"
    SPARSE = "too few people live there"
    NO_ZONE = "no zone known"
    NO_LANE = "no lane takes it"
    NOT_REOPENED = "not yet reopened"
    POOR_ACCURACY = "poor accuracy"
    NO_CONSENT = "no consent"
    NO_HOME = "no home known"
    UNKNOWN_CRS = "unknown coordinate system"
    NO_FIX = "no position"
    ZERO_ZERO = "position (0, 0)"
    OUTSIDE_AREA = "outside the service area"
    LATE = "late"
    RULES_CHANGED = "observed before these rules"
    SIMULATED = "invented by a server"
    KEY_GONE = "its service day is over"
    ERASED = "household erased"
    FAULT = "the mask failed closed"
