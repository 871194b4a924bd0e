"""What Earshot costs, measured against its peers: ``python -m benchmarks``."""
