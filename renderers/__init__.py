"""What turns a log into something to hear or to see; nothing here needs torch."""
