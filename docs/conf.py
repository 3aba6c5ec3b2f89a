"""Sphinx configuration. Nothing is fetched from the network while the pages are built."""

import os
import sys
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
# The examples work on small matrices: on a busy machine more threads of BLAS are slower by far.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from house_style import Origin

import sparsekit

project = "sparsekit"
author = "The sparsekit developers"
copyright = "2026, The sparsekit developers"
version = release = sparsekit.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "house_style",
    "include_markdown",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "api/generated/backreferences"]
default_role = "py:obj"
modindex_common_prefix = ["sparsekit."]

extlinks = {
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
    "doi": ("https://doi.org/%s", "doi:%s"),
}

autodoc_typehints = "none"  # the docstrings say more than the annotations
autosummary_generate = True
autosummary_context = {"origin": Origin()}
numpydoc_show_class_members = False  # the autosummary template lists them

# Prompts and output stay in the page but out of the clipboard.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

plot_formats = [("png", 150)]
plot_html_show_formats = False
plot_html_show_source_link = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("sparsekit",),
    "reference_url": {"sparsekit": None},
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "abort_on_example_error": True,
    "write_computation_times": False,  # its table would load scripts from the network
}

html_theme = "pydata_sphinx_theme"
html_title = f"sparsekit {version}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sparsekit"},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "header_links_before_dropdown": 5,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
# Pages without children have no need for a list of them.
html_sidebars = {
    name: []
    for name in ("index", "install", "tour", "benchmarks", "changes", "contributing", "findings")
}
