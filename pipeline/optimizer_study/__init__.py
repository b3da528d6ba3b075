"""Optimizers compared: the same model and data, several optimizers, several seeds."""
