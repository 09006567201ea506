"""What the benchmark and the demonstration share: processes, loads, environments, tables."""
