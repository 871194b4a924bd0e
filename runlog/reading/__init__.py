"""From a path or URL to runs, whatever their format."""
