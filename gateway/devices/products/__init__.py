"""Real products: bytes as the maker's data sheet has them → fields of our kinds. One file each."""
