"""What stands before the service: who may call, how much, and what is refused before it is scored."""
