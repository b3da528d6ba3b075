"""What will happen to each layer of a model, told before any work is done."""
