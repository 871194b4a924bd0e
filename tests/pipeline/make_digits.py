"""Make the embedded digits, `pipeline/experiments/digits/`, from scikit-learn's: run this file.

They are a file of our own so that recording imports no scikit-learn, which takes a second.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parents[2] / "pipeline" / "experiments" / "digits"
ABOUT = """\
# Made by tests/pipeline/make_digits.py from scikit-learn's `load_digits`: the same numbers.
name = "Optical Recognition of Handwritten Digits, the test set: 1,797 scans"
numbers = "8 by 8, grey 0 to 16"
authors = "E. Alpaydin, C. Kaynak (1998), UCI Machine Learning Repository"
source = "https://doi.org/10.24432/C50P49"
licence = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
changes = "The scans as unsigned bytes, in NumPy's format; no number is changed"

[sha256]
"digits.npz" = "{digest}"
"""


def main() -> None:
    """Write the digits, and beside them where they come from."""
    FOLDER.mkdir(exist_ok=True)
    known = load_digits()
    path = FOLDER / "digits.npz"
    arrays = {"images": known.images.astype(np.uint8), "digits": known.target.astype(np.uint8)}
    np.savez_compressed(path, **arrays)
    digest = sha256(path.read_bytes()).hexdigest()
    (FOLDER / "SOURCE.toml").write_text(ABOUT.format(digest=digest), encoding="utf-8")


if __name__ == "__main__":
    main()
