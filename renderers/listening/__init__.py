"""A listening test for people: a page that plays clips and asks, a key, and what answers are worth.

Whether a sound tells what happens in a training is for ears to say.  The page holds made-up
trainings (`trainings.py`), rendered as any run is (`clips.py`), and stores what a person
answers; `answers.py` reads that beside the key, `scoring.py` says how well it was heard.
"""

from epochord.renderers.listening.render import ListeningTest, render_listening_test

__all__ = ["ListeningTest", "render_listening_test"]
