"""What the log said lately, so that it does not say it again and again: a line that comes and goes would fill it.

Pure: texts and times go in. This module does not know who says what.
"""

from __future__ import annotations

__all__ = ["Said"]

_AGAIN = 600.0
"""Seconds after which the same may be said once more."""
_MOST = 100


class Said:
    """The texts of the last minutes. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._texts: dict[str, float] = {}

    def is_news(self, text: str, now: float) -> bool:
        """Tell whether a text was not said within the last minutes, and note that it is said now."""
        said = self._texts.get(text)
        if said is not None and now - said < _AGAIN:
            return False
        if len(self._texts) >= _MOST:
            self._texts = {each: at for each, at in self._texts.items() if now - at < _AGAIN}
        self._texts[text] = now
        return True
