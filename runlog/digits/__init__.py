"""Leading digits of floats, and the log's table of them."""
