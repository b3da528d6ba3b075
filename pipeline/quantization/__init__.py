"""What the stage quantize does: the source, one file and its checks, the bounds on quality."""
