"""Models from outside: checked before anything of them is used, then rebuilt in Keras 3."""
