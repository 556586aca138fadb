"""`changeling families`: which families there are and what each can do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Families:
    """List the families of generators: what each learns from, what it can do, its presets."""

    def run(self) -> int:
        """List them."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from rich import box
        from rich.console import Console
        from rich.table import Column, Table

        from changeling.generators import FAMILIES, FITTED, fitted_summary

        table = Table(Column("family", no_wrap=True), "what it is and can", box=box.SIMPLE)
        for name, family in FAMILIES.items():
            can, presets = ", ".join(family.uses), ", ".join(family.presets)
            details = f"can {can}; learns from {family.learns.value}; presets {presets}"
            table.add_row(name, f"{family.summary}\n[dim]{details}[/]")
        for name in FITTED:
            table.add_row(name, f"{fitted_summary(name)}\n[dim]needs a fit, no training[/]")
        Console().print(table)
        return 0
