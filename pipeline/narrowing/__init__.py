"""Structured pruning: whole filters and units removed from a Keras 3 model."""
