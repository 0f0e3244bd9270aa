"""``python -m samlad.cli``: the same as ``samlad``, for processes that start others."""

from samlad.cli import main

if __name__ == "__main__":
    main()
