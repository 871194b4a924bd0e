"""`python -m pipeline` is the command `earshot`."""

from pipeline.cli import main

main()
