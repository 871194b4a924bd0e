"""Which programs there are, and what each needs."""

from dataclasses import dataclass

__all__ = ["PROGRAMS", "REFUSED", "Program"]

REFUSED = "refused.txt"  # what a program that could not be watched was told


@dataclass(frozen=True)
class Program:
    """A training program, a module with a ``main``.

    Parameters
    ----------
    module : str
        Its name to Python.
    needs : tuple of str
        The package that it is written for, and what else has to be there.
    refused : bool
        Whether its optimizer is none of torch.
    """

    module: str
    needs: tuple[str, ...] = ("torch",)
    refused: bool = False

    @property
    def name(self) -> str:
        """Its name to people."""
        return self.module.rpartition(".")[2].replace("_", " ")


PROGRAMS = (
    Program("tests.recorders.loops.nanogpt"),
    Program("tests.recorders.loops.nanogpt_float16"),
    Program("tests.recorders.loops.mnist"),
    Program("tests.recorders.loops.vae"),
    Program("tests.recorders.loops.dcgan"),
    Program("tests.recorders.loops.word_language_model"),
    Program("tests.recorders.loops.forward_forward"),
    Program("tests.recorders.loops.ppo"),
    Program("benchmarks.loops.lightning_automatic", ("lightning",)),
    Program("benchmarks.loops.lightning_manual", ("lightning",)),
    Program("benchmarks.loops.transformers_trainer", ("transformers", "accelerate")),
    Program("benchmarks.loops.accelerate_loop", ("accelerate",)),
    Program("benchmarks.loops.skorch_net", ("skorch",)),
    Program("benchmarks.loops.keras_torch", ("keras",)),
    Program("benchmarks.loops.keras_own", ("keras",), refused=True),
)
