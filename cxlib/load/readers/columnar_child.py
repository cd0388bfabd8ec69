"""A Parquet file as an Arrow stream on standard output; run by confined.py in a process of its own."""

import os
import sys

os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve address space by the gigabyte, which the limit counts
sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # behind the standard library: names here are ours only
import confined_child as child
import pyarrow as pa
import pyarrow.parquet as pq

CELLS, SHARE = 10_000_000, 1_000  # a file of fewer bytes than a cell in 1,000 holds nothing but repetition


def repeated(facts) -> list[str]:
    """Return the columns of words that repeat and stay folded, as in the file: unfolded, a column of labels would be a hundred times its size."""
    plain, folded = set(), set()
    for group in range(min(facts.num_row_groups, 1_000)):
        for place in range(facts.num_columns):
            chunk = facts.row_group(group).column(place)
            fits = chunk.physical_type == "BYTE_ARRAY" and any("DICTIONARY" in one for one in chunk.encodings) and not any("DELTA" in one for one in chunk.encodings)
            (folded if fits else plain).add(chunk.path_in_schema)
    return sorted(folded - plain) if facts.num_row_groups <= 1_000 else []


def read(path: str, options: dict) -> None:
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    facts = pq.read_metadata(path)
    with pq.ParquetFile(path, metadata=facts, read_dictionary=repeated(facts), pre_buffer=False) as file:
        rows, names = facts.num_rows, file.schema_arrow.names
        if rows < 0 or rows * len(names) > max(CELLS, SHARE * os.path.getsize(path)):
            raise child.Fault(f"the file declares {rows:,} rows, more than its size can hold; check where it comes from.")
        child.tell({"names": names})
        child.stream(file.schema_arrow, file.iter_batches(batch_size=options["rows"], use_threads=False))


if __name__ == "__main__":
    child.main(read)
