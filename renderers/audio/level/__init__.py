"""How loud a sound is, and the gain that makes it as loud as wanted."""
