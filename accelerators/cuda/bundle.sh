#!/usr/bin/env bash
# What only a GPU can confirm, in the order in which it should be looked at: correctness first, then figures.
# Everything goes to log.txt too, which docs/gpu-log.md is written from. The exit status is 1 if a part has failed.
#   ./run            all parts
#   ./run bench      one part: environment, test, memcheck, racecheck, bench, models or recipe
# PEERS names a Python environment with PyTorch, which models are then measured beside.
set -uo pipefail
cd "$(dirname "$0")"
export CAREBOT_GPU=required
tar -xJf programs.tar.xz || exit 1

environment() {
	date -u
	./carebot-gpu env
	nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv
}

test() { ./cuda.test -test.timeout 30m; }

sanitizer() { command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | tail -n 1; }

# The sanitizer slows kernels down a hundred times; -test.short leaves the large shapes out.
sanitized() {
	"$(sanitizer)" --tool "$1" --error-exitcode 1 --print-limit 20 ./cuda.test -test.short -test.timeout 60m
}
memcheck() { sanitized memcheck; }
racecheck() { sanitized racecheck; }

bench() { ./cuda.test -test.run '^$' -test.bench . -test.benchtime 3s; }

# Whole steps, scoring and generation; the figures go into gpu-log.md here.
models() { ./bench -device cuda -page gpu-log.md -peers "${PEERS:-.bench}"; }

recipe() {
	rm -rf runs
	./carebot-gpu run carebot-tiny.yaml device=cuda
}

failed=()
part() {
	printf '\n== %s\n' "$1"
	case "$1" in memcheck | racecheck)
		[ -n "$(sanitizer)" ] || { echo "SKIPPED: compute-sanitizer of the CUDA toolkit is not here"; return; }
	esac
	"$1" || { failed+=("$1"); echo "FAILED: $1"; }
}

all() {
	for name in "$@"; do part "$name"; done
	printf '\n== failed: %s\n' "${failed[*]:-none}"
	[ ${#failed[@]} -eq 0 ]
}

[ $# -gt 0 ] || set -- environment test memcheck racecheck bench models recipe
all "$@" 2>&1 | tee log.txt
