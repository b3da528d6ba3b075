"""Training in Keras 3: schedules, optimizers, the fit loop, checkpoints and histories."""
