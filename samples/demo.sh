#!/usr/bin/env bash
# The main job, for real: a sandbox of its own on a free port, 2,000 legacy cards, reports. Run by `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="${PIGGY_BATCH_BIN:-.venv/bin/piggy-batch}"
work=demo
rm -rf "$work" && mkdir "$work"
cp samples/legacy_cards.csv "$work/"

"$bin" sandbox --port 0 --latency-ms 30 --limit-per-minute 0 >"$work/sandbox.txt" &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null; wait "$sandbox" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  [ "$(wc -l <"$work/sandbox.txt")" -ge 2 ] && break
  kill -0 "$sandbox" 2>/dev/null || { echo "the sandbox did not start" >&2; exit 1; }
  sleep 0.1
done
set -a && . "./$work/sandbox.txt" && set +a

echo '$ piggy-batch identifiers create legacy_cards.csv --dry-run'
"$bin" identifiers create "$work/legacy_cards.csv" --dry-run
echo
echo '$ piggy-batch identifiers create legacy_cards.csv --rate 250 --concurrency 16'
code=0
"$bin" identifiers create "$work/legacy_cards.csv" --rate 250 --concurrency 16 --progress || code=$?
[ "$code" -le 1 ] || exit "$code"
for pile in results errors remaining unknown; do
  file="$work/legacy_cards.identifiers-create/$pile.csv"
  [ -f "$file" ] || continue
  echo
  echo "head of $file"
  head -4 "$file"
done

cat <<END

That was the sandbox, a local stand-in for the service; it has ended now. Next, in this terminal:

  export PATH="\$PWD/.venv/bin:\$PATH"     # so that piggy-batch is found
  piggy-batch status demo/legacy_cards.identifiers-create
  piggy-batch help                         # statuses, recipes and more
  piggy-batch sandbox                      # a stand-in that stays, for rehearsals of your own list

END
