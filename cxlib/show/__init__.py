"""What a reader sees: figures, tables, prose and the page they stand on. Nothing here computes a result."""
