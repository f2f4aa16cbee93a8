"""Data: taxonomy, records, normalisation, masking, signals, loaders, splits, and volume series as features."""
