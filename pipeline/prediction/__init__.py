"""Runs a shipped `.tflite` file on raw input, as its sidecar says."""
