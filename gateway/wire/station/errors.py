"""What a reader of stations' messages raises."""


class MessageError(ValueError):
    """This text is no message of a station; says which rule it breaks, and nothing of its content."""
