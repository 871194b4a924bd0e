"""Writing a log while a training runs."""
