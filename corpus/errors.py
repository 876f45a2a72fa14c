"""Every failure that Hornbook names.

    HornbookError            1
    ├── RecipeError          2   the recipe or the command line is wrong
    ├── SetupError           3   the environment: endpoint, token, sandbox, package, disk
    ├── YieldError           4   finished below the required yield, or the spend cap was reached
    ├── IncompleteError      5   stopped before the end; running again goes on from here
    └── StateError           6   corrupt or conflicting state on disk

The number is the process's exit code. Errors are told apart by type and status, never by the text of a message.
"""


class HornbookError(Exception):
    """Base of all named failures. `hint` is one line that says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Keep `hint` across process borders (Ray pickles exceptions)."""
        return (_rebuild, (type(self), str(self), self.hint))


def _rebuild(kind: type["HornbookError"], message: str, hint: str) -> "HornbookError":
    return kind(message, hint=hint)


class RecipeError(HornbookError):
    """A recipe, an option or an input file names something that cannot be."""

    exit_code = 2


class SetupError(HornbookError):
    """Something outside is missing or refuses: endpoint, token, sandbox, package, disk, permission."""

    exit_code = 3


class YieldError(HornbookError):
    """The run ended below the yield that the recipe requires, or at its spend cap."""

    exit_code = 4


class IncompleteError(HornbookError):
    """The run stopped before its end. What was committed stays; the same command goes on."""

    exit_code = 5


class StateError(HornbookError):
    """Committed state is damaged, or two writers or two recipes claim the same place."""

    exit_code = 6
