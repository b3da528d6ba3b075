"""Keras 3 ↔ tf_keras: the only place that imports tf_keras or tfmot."""
