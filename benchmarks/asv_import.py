"""Imports, over the history of the project; asv runs each in a fresh process."""


class ImportSuite:
    """Time to import, and nothing else."""

    timeout = 60

    def timeraw_import_sparsekit(self):
        """Return the code whose run is timed."""
        return "import sparsekit"

    def timeraw_import_embedding(self):
        """Return the code whose run is timed."""
        return "import sparsekit.embedding"

    def timeraw_import_graphlets(self):
        """Return the code whose run is timed."""
        return "import sparsekit.graphlets"
