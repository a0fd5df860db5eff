"""Console scripts: parse, read, calculate, write."""
