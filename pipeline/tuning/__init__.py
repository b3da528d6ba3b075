"""Hyperparameter search: keras-tuner's oracles, our own loop and our own ledger."""
