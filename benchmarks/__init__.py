"""What Epochord costs, measured against its peers: ``python -m benchmarks``."""
