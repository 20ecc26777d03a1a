"""How the values of each kind really move: one file per device kind, named as the kind."""
