"""Arguments and options that several commands share: one name, one help, one meaning."""
