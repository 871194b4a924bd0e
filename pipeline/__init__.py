"""The chain from training to sound: the command line and the experiments."""
