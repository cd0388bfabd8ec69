"""The named errors of the workbook, each with the exit code the command ends with (see the README's table of exit codes)."""


class WorkbookError(Exception):
    """A fault that is told in one sentence: what, where, and the remedy."""

    code = 1


class UsageError(WorkbookError):
    """The command, an option or a parameter is not one that exists or can be (2)."""

    code = 2


class DataError(WorkbookError):
    """A file of the programme cannot be used: the sentence names file, row, column, value and remedy (3)."""

    code = 3


class StudyError(WorkbookError):
    """A notebook's cell raised (4)."""

    code = 4


class KernelError(WorkbookError):
    """A kernel died or ran out of time (5)."""

    code = 5


class PublishError(WorkbookError):
    """An edition could not or must not be written (6)."""

    code = 6


class BusyError(WorkbookError):
    """Another run holds this programme and quarter (7)."""

    code = 7


class NotAnswerable(WorkbookError):
    """A study cannot be answered from what the programme holds: its page says so in a sentence and ends there. No fault."""

    code = 0

    def _render_traceback_(self) -> list[str]:
        return [str(self)]  # by hand in JupyterLab the sentence is shown, and no traceback


def nearest(word: str, known) -> str:
    """Return ' (did you mean X?)' for the nearest known word, or nothing where none is near."""
    import difflib

    found = difflib.get_close_matches(str(word), [str(item) for item in known], n=1, cutoff=0.6)
    return f" (did you mean {found[0]}?)" if found else ""
