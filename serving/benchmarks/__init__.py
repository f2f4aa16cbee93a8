"""Benchmarks: each figure is a ratio against a peer of the same run (`make bench`)."""
