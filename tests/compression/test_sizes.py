"""Sizes of bytes, raw and compressed."""

from __future__ import annotations

import gzip
import lzma
import os

from pipeline.compression.sizes import gzip_size, sizes


def test_sizes_are_those_of_streams_that_decompress() -> None:
    data = bytes(1000) + os.urandom(100)
    measured = sizes(data)
    assert measured.size_bytes == 1100
    assert measured.gzip_bytes == len(gzip.compress(data, 9, mtime=0))
    assert measured.xz_bytes == len(lzma.compress(data, preset=9))


def test_zeros_compress_and_noise_does_not() -> None:
    assert gzip_size(bytes(100_000)) < 200
    assert gzip_size(os.urandom(100_000)) > 100_000


def test_empty_input_is_the_bare_frame() -> None:
    # RFC 1952: 10 bytes header, 2 of an empty deflate block, 8 trailer.
    assert gzip_size(b"") == 20
    assert sizes(b"").size_bytes == 0


def test_json_has_the_words_of_the_design() -> None:
    assert set(sizes(b"x").to_json()) == {"size_bytes", "gzip_bytes", "xz_bytes"}
