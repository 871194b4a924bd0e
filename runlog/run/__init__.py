"""What a run is, in memory: its series, its metadata, its layers, its rows."""
