"""TFLite files: make, run, inspect and verify them, and what ships beside them."""
