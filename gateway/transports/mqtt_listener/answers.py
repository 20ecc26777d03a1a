"""What the door answers: tables from our reasons to MQTT's, and the CONNACK it greets with. No I/O."""

from gateway.model.reason import Reason
from gateway.transports.mqtt_listener.limits import Limits
from gateway.wire.mqtt import fields
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Connect, Properties

REFUSED = {
    Reason.UNKNOWN_DEVICE: Code.NOT_AUTHORIZED,
    Reason.NOT_ALLOWED: Code.NOT_AUTHORIZED,
    Reason.UNKNOWN_TOPIC: Code.TOPIC_NAME_INVALID,
    Reason.UNSTORABLE: Code.UNSPECIFIED,
}
"""Everything else that is rejected is `PAYLOAD_FORMAT_INVALID` (decisions 2)."""

NO_WILL = "the will is ignored: nothing is ever published here"
NO_RETAIN = "retain is ignored: nothing is ever kept for a subscriber"
NO_SUBSCRIPTION = (
    "this is a checkpoint, not a broker: a device may subscribe to its own commands alone"
)


def unheard(text: str) -> Code:
    """Why a topic filter is refused (§3.9.3); the connection goes on, or its uplinks would never come."""
    if text.startswith("$share/"):
        return Code.SHARED_NOT_SUPPORTED
    if "+" in text or "#" in text:
        return Code.WILDCARDS_NOT_SUPPORTED
    return Code.NOT_AUTHORIZED


def session_wanted(hello: Connect, limits: Limits) -> tuple[bool, int]:
    """Whether to begin anew, and for how many seconds after its connection the client is remembered.

    MQTT 3.1.1 has one flag for both, and no end: its sessions last as long as any (§3.1.2.11.2; 3.1.1
    §3.1.2.4).
    """
    if hello.version == V5:
        asked = hello.properties.get(fields.SESSION_EXPIRY, 0)
    else:
        asked = 0 if hello.clean_start else limits.session_expiry_s
    return hello.clean_start, min(asked, limits.session_expiry_s)


def greeting(hello: Connect, limits: Limits, assigned_id: str, expiry_s: int) -> Properties:
    """The properties of a successful CONNACK: what this door does not do (§3.2.2.3).

    Args:
        expiry_s: the session expiry that was granted.
    """
    if hello.version != V5:
        return {}
    properties: Properties = {
        fields.RECEIVE_MAXIMUM: min(limits.pending, 0xFFFF),
        fields.MAXIMUM_PACKET_SIZE: limits.packet_bytes,
        fields.TOPIC_ALIAS_MAXIMUM: limits.topic_aliases,
        fields.WILDCARD_AVAILABLE: 0,
        fields.SUBSCRIPTION_ID_AVAILABLE: 0,
        fields.SHARED_AVAILABLE: 0,
        fields.USER_PROPERTY: [("sekisho", NO_SUBSCRIPTION), ("sekisho", NO_RETAIN)],
    }
    if hello.has_will:
        properties[fields.USER_PROPERTY].append(("sekisho", NO_WILL))
    if expiry_s != hello.properties.get(fields.SESSION_EXPIRY, 0):
        properties[fields.SESSION_EXPIRY] = expiry_s
    if not hello.client_id:
        properties[fields.ASSIGNED_CLIENT_ID] = assigned_id
    if not 0 < hello.keep_alive_s <= limits.keep_alive_s:
        properties[fields.SERVER_KEEP_ALIVE] = limits.keep_alive_s
    return properties
