"""`python -m pipeline` is `slimline`."""

from pipeline.cli import main

main()
