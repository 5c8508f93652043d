"""A sale of an encrypted till costs one flush to the disk, counted from outside."""

from tests.bench.sale_commit import fsyncs_per_sale


def test_a_sale_waits_for_one_sync_call_and_no_more(tmp_path):
    # Few enough sales that no checkpoint comes due: what is counted is the commits alone.
    assert fsyncs_per_sale(tmp_path / "till", sales=20, seals=True) == 1.0
