"""From door to disk: one intake, one worker, one order."""
