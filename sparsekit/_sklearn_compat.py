"""The only door to private parts of scikit-learn, so that a change there is mended in one place."""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._array_api import _convert_to_numpy as convert_to_numpy
from sklearn.utils._array_api import _max_precision_float_dtype as max_precision_float_dtype
from sklearn.utils._array_api import get_namespace_and_device
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _get_feature_names as column_names_of

__all__ = [
    "Interval",
    "Options",
    "StrOptions",
    "column_names_of",
    "convert_to_numpy",
    "fit_context",
    "get_namespace_and_device",
    "max_precision_float_dtype",
]
