"""A fictional telecom provider with a known truth: the shipped sample, and at any size the world in which the studies are tested.

`sample(folder, customers=2500, seed=1)` writes a programme folder as a company would hand it over: raw exports in the forms in which files arrive,
programme.toml, codeframe.toml and plan.toml, and, under truth/, what a study ought to find. Only tests open truth/. `brand(folder, seed=1)` writes a second, tiny company: weekly sales, and nobody who buys.
"""

from pathlib import Path


def sample(folder, *, customers: int = 2500, seed: int = 1, world: str = "truth") -> None:
    """Write the sample. Equal arguments give equal bytes, on any machine.

    customers: accounts (a business account has several people); from 50. seed: any whole number from 0. world: "truth", or "null" for the same company
    in which nothing affects anything. The folder must be new or empty (UsageError otherwise): nothing is overwritten.
    """
    from cxlib.errors import UsageError

    from . import programme

    if not isinstance(customers, int) or not 50 <= customers <= 2_000_000:
        raise UsageError(f"customers is {customers}; it can be a whole number from 50 to 2000000.")
    programme.write(_made(folder, seed, world), customers=customers, seed=seed, world=world)


def brand(folder, *, seed: int = 1, world: str = "truth") -> None:
    """Write the second company: a brand of accessories of which weekly sales are known and no customers. seed, world and folder as for `sample`; in the null world no price is cut."""
    from . import accessory

    accessory.write(_made(folder, seed, world), seed=seed, world=world)


def _made(folder, seed, world) -> Path:
    """Return the folder with raw/ in it; UsageError where it is not empty, or an argument cannot be."""
    from cxlib.errors import UsageError

    folder = Path(folder)
    if world not in ("truth", "null"):
        raise UsageError(f"world is '{world}'; it can be 'truth' or 'null'.")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed is {seed}; it can be a whole number from 0.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; name one that is new, nothing is overwritten.")
    try:
        (folder / "raw").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}.") from None
    return folder
