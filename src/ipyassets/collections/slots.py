"""What came of many assets, one slot for each, in their order: for pictures, files and whatever was computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from ipyassets.collections.assets import AssetBase

__all__ = ["Slots"]

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class Slots(Sequence["T | None"], Generic[T, E]):
    """As many slots as assets and in the same order; a failed one is None and stands in `failures`."""

    _unit: ClassVar[str] = "results"

    def __init__(
        self,
        assets: Sequence[AssetBase],
        results: Sequence[T | None],
        failures: Sequence[tuple[int, AssetBase, E]] = (),
    ) -> None:
        self._assets = list(assets)
        self._results = list(results)
        self.failures: list[tuple[int, AssetBase, E]] = list(failures)
        """``(index, asset, error)`` for every slot that failed."""

    @property
    def assets(self) -> list[AssetBase]:
        """The assets, one for each slot."""
        return list(self._assets)

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> T | None: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> T | Self | None:
        if not isinstance(index, slice):
            return self._results[index]
        chosen = range(*index.indices(len(self)))
        errors = {i: (asset, error) for i, asset, error in self.failures}
        return self._of(chosen, [(new, *errors[old]) for new, old in enumerate(chosen) if old in errors])

    def _of(self, chosen: range, failures: list[tuple[int, AssetBase, E]]) -> Self:
        """Some of the slots; ``failures`` are those among them."""
        return type(self)([self._assets[i] for i in chosen], [self._results[i] for i in chosen], failures)

    def items(self) -> Iterator[tuple[AssetBase, T | None]]:
        """Pairs of asset and result (None where it failed), in order."""
        return zip(self._assets, self._results, strict=True)

    def raise_for_failures(self) -> Self:
        """Raise an `ExceptionGroup` of all failures if there are any; else give the batch back."""
        if self.failures:
            errors: list[Any] = [error for _, _, error in self.failures]
            raise ExceptionGroup(f"{len(self.failures)} of {len(self)} {self._unit} failed", errors)
        return self

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"{type(self).__name__}({len(self)} {self._unit}{failed})"
