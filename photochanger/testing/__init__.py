"""What tests, fuzzers, attacks and measurements share; no product code imports it."""
