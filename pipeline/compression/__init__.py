"""Pure arithmetic on arrays and bytes: sizes, sparsity, statistics. Only NumPy and errors."""
