"""The commands that need more than a few lines, by what they are about; `cli.py` gathers them."""
