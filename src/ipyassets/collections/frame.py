"""Assets as a DataFrame, put together page by page: of a record no more is kept than its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from ipyassets.services.base import Record

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rows"]

_TEXTS: Final = ("id", "name", "service", "kind", "status")
_DATES: Final = ("created", "updated")


class Rows:
    """The columns of a frame that grows. Raises ImportError where there is no pandas."""

    def __init__(self) -> None:
        try:
            import pandas as pd
        except ImportError:
            raise ImportError("to_pandas() needs pandas: pip install 'ipyassets[pandas]'") from None
        self._pd = pd
        self._columns: dict[str, list[Any]] = {name: [] for name in (*_TEXTS, *_DATES, "tags", "attributes")}

    def __len__(self) -> int:
        return len(self._columns["id"])

    def add(self, records: Iterable[Record]) -> None:
        added = list(records)
        for name in (*_TEXTS, *_DATES):
            self._columns[name] += [getattr(record, name) for record in added]
        self._columns["tags"] += [list(record.tags) for record in added]
        self._columns["attributes"] += [dict(record.attributes) for record in added]

    def frame(self) -> pd.DataFrame:
        """One row for each record; see `AssetList.to_pandas`."""
        pd = self._pd
        text = pd.Series(["text"]).dtype  # said, since a column that is empty or all None would get another
        frame = pd.DataFrame({name: pd.Series(self._columns[name], dtype=text) for name in _TEXTS})
        for name in _DATES:
            dates = pd.to_datetime(self._columns[name], utc=True)
            frame[name] = pd.Series(dates, dtype="datetime64[ns, UTC]", index=frame.index)
        for name in ("tags", "attributes"):
            frame[name] = pd.Series(self._columns[name], dtype=object, index=frame.index)
        return frame
