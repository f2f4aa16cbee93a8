"""Memory of what the service said: predictions, corrections by people, retention and deletion."""
