"""What the files cannot tell of themselves: answers that fit the contract cell by cell and yet must not be averaged as they stand."""

from cxlib.load.anomalies.grid import COLUMNS, Grid, grids

__all__ = ["COLUMNS", "Grid", "grids"]
