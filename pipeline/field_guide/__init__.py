"""The field guide: eighteen trainings to learn the sounds of troubles by, as one page."""
