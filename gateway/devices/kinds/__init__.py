"""One file per device kind; the file's stem is the kind's name."""
