"""What `filters/signup.py` is made of: who sends, what the mail does and says, and the model that weighs it."""
