"""How the filter `secret_marks` tells a marking from a mention."""
