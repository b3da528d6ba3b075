"""What a model is asked to do: its outputs, its loss, its metric, and how they are measured."""
