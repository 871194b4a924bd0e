"""Pictures of any kind of artefact: figures, spectrograms, videos and what lies over them."""
