"""The store of stage results: atomic writes, digests, locks, manifests."""
