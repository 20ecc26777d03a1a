"""What a city may write about keeping: rule sets as frozen values, their order, contradictions, digest and words."""
