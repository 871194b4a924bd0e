"""`python -m epochord` is the command `epochord`."""

import sys

__all__ = ["run"]


def run() -> None:
    """Run the command line; Ctrl-C ends it in one line also while its modules are loading."""
    try:
        if sys.argv[1:] == ["--version"]:  # at once, without all that other commands need
            from epochord import __version__

            print(__version__)
            return
        from epochord.pipeline.cli import main
    except KeyboardInterrupt:
        print("epochord: error: interrupted", file=sys.stderr)
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
