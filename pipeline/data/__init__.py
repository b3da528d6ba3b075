"""Sources, splits, preprocessing, and the batches that training reads."""
