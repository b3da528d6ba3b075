"""Clean takes what no run links to, and nothing else."""

from __future__ import annotations

from pipeline.artifacts.clean import find_reclaimable, reclaim
from pipeline.artifacts.run_folder import link_result
from pipeline.artifacts.store import Store
from tests.artifacts.conftest import Publish


def test_only_unlinked_results_and_interrupted_work_go(store: Store, publish: Publish) -> None:
    publish("a" * 64, b"12345")
    publish("b" * 64, b"123")
    link_result(store, "mine", "train", "a" * 64)
    work = store.work("c" * 64)
    work.mkdir(parents=True)
    (work / "checkpoint").write_bytes(b"1234567")
    items = {item.key[0]: item for item in find_reclaimable(store)}
    assert set(items) == {"b", "c"}
    assert items["c"].size_bytes == 7
    freed = reclaim(store, list(items.values()))
    assert freed == 7 + items["b"].size_bytes
    assert store.find("a" * 64) is not None
    assert not store.path("b" * 64).exists()
    assert not work.exists()
    assert find_reclaimable(store) == []


def test_what_was_linked_meanwhile_stays(store: Store, publish: Publish) -> None:
    publish("b" * 64)
    items = find_reclaimable(store)
    assert len(items) == 1
    link_result(store, "late", "train", "b" * 64)
    assert reclaim(store, items) == 0
    assert store.find("b" * 64) is not None


def test_what_is_being_made_stays(store: Store) -> None:
    store.work("c" * 64).mkdir(parents=True)
    with store.hold("c" * 64):
        assert find_reclaimable(store) == []


def test_an_empty_folder_has_nothing_to_reclaim(store: Store) -> None:
    assert find_reclaimable(store) == []
