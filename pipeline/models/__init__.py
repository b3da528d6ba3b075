"""The architectures, and the digest and files of Keras 3 models."""
