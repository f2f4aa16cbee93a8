"""Training: corpora to a measured bundle; scoring works without this room."""
