"""How large a model file from outside may be, in every respect, before it is refused."""

from __future__ import annotations

MAX_FILE_BYTES = 4 << 30
MAX_CONFIG_BYTES = 32 << 20
# JSON objects and lists in one another; a model in a model in a model has about 30.
MAX_NESTING = 100
# NASNetLarge, the longest of keras.applications, has 1,041.
MAX_LAYERS = 5_000
MAX_CALLS = 20_000
MAX_HDF5_OBJECTS = 200_000
MAX_HDF5_DEPTH = 50
# Numbers in one activation of one sample: 1 GB of float32.
MAX_TENSOR_NUMBERS = 1 << 28
# Memory of the reading process beside the file's own size, its CPU seconds, and its wall clock.
READER_MEMORY_BYTES = 2 << 30
READER_CPU_SECONDS = 120
READER_SECONDS = 180.0
