"""Topic filters (§4.7): whether one is well formed, what it matches, and shared subscriptions (§4.8.2)."""


def fault(text: str) -> str | None:
    """Why this is no topic filter; None if it is one."""
    if not text or "\0" in text or len(text.encode()) > 0xFFFF:
        return "a topic filter has 1 to 65,535 bytes."
    levels = text.split("/")
    if any("+" in level and level != "+" for level in levels):
        return "+ stands for one whole level: sensors/+/up."
    if any("#" in level and level != "#" for level in levels) or "#" in levels[:-1]:
        return "# stands alone, as the last level: sensors/#."
    return None


def matches(text: str, topic: str) -> bool:
    """Whether a topic filter takes this topic; a wildcard at the front takes none that begins with $."""
    if topic.startswith("$") and text[:1] in ("+", "#"):
        return False
    levels = topic.split("/")
    wanted = text.split("/")
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at == len(levels) or level not in ("+", levels[at]):
            return False
    return len(levels) == len(wanted)


def shared(name: str, text: str) -> str:
    """The filter of a subscription that this client shares with others of the same `name`."""
    return f"$share/{name}/{text}"
