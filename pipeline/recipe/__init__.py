"""`slimline compress`: from a model and data to a configuration that does what most would want."""
