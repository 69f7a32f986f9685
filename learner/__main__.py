"""`python -m learner`, which is how client configurations start it."""

from learner.cli import main

main()
