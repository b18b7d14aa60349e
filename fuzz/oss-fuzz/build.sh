#!/bin/bash -eu
# Builds all targets, with their seeds and dictionaries, into $OUT.
cd "$SRC/ws-proto/fuzz"
./seeds
cargo fuzz build -O --debug-assertions
for file in fuzz_targets/*.rs; do
  target=$(basename "$file" .rs)
  cp "target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
  cp "$(./dictionary "$target")" "$OUT/$target.dict"
  if [ -d "corpus/$target" ]; then
    zip -q -j -r "$OUT/${target}_seed_corpus.zip" "corpus/$target"
  fi
done
