"""A Parquet file as an Arrow stream on standard output; run by confined.py in a process of its own."""

import os
import sys

os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve address space by the gigabyte, which the limit counts
sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # behind the standard library: names here are ours only
import confined_child as child
import pyarrow as pa
import pyarrow.parquet as pq

CELLS, SHARE = 10_000_000, 4_000  # a file of fewer bytes than a cell in 4,000 holds nothing but repetition
ROWS = 65_536


def read(path: str, options: dict) -> None:
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    schema = pq.read_schema(path)
    # Words that repeat are kept once, as in the file: unfolded, a column of labels would be a hundred times its size.
    repeated = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    with pq.ParquetFile(path, read_dictionary=repeated, pre_buffer=False) as file:
        rows, names = file.metadata.num_rows, file.schema_arrow.names
        if rows < 0 or rows * len(names) > max(CELLS, SHARE * os.path.getsize(path)):
            raise child.Fault(f"the file declares {rows:,} rows, more than its size can hold; check where it comes from.")
        child.tell({"names": names})
        child.stream(file.schema_arrow, file.iter_batches(batch_size=ROWS, use_threads=False))


if __name__ == "__main__":
    child.main(read)
