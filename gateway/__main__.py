"""`python -m gateway` is `mailwarden`."""

from gateway.cli import main

main()
