"""Where rows rest: SQL lives here and in the registry, nowhere else."""
