"""Errors that cross rooms; each says who is to blame and writes its own sentence."""

from gateway.model.reason import Reason


class PayloadError(Exception):
    """The payload's fault: it cannot be decoded, or a value lies outside its plausible range.

    Attributes:
        reason: UNDECODABLE, OUT_OF_RANGE or NO_READING.
        detail: the field and the rule it broke; never a value out of the payload.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Refusal(Exception):
    """A person's mistake or an unmet condition: printed as sentences, exit code attached.

    Attributes:
        exit_code: what the command returns (2 configuration or usage, 1 everything else).
    """

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
