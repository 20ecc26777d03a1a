"""The configuration: YAML in, typed settings in SI units out, or every fault with its place."""
