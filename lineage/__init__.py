"""Column lineage: from which columns each column of a model comes, and which columns decide what rows the model has."""
