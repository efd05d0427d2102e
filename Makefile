# CareBot needs Go and make, nothing else.
GO      ?= go
PLUGINS := datarater confilter exam-reward reward-head
export CGO_ENABLED = 0

.PHONY: all build plugins demo test test-isa lint generate bench bench-plugins bench-peers compatibility emulator emulator-races test-cuda-emulated clean

all: build plugins

build:
	$(GO) build -trimpath -o bin/carebot ./host/cmd/carebot

# The first-party plugins in Go as sandboxed modules, and the judge as a process. quality-rules is a module already.
plugins: $(PLUGINS:%=bin/plugins/%.wasm) bin/plugins/judge

bin/plugins/%.wasm: build FORCE
	@mkdir -p bin/plugins
	GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -buildmode=c-shared -ldflags="-s -w" -o bin/plugins/$*.raw ./plugins/$*/main
	$(GO) run ./plugins/$*/main -manifest > bin/plugins/$*.json
	bin/carebot plugin pack bin/plugins/$*.raw bin/plugins/$*.json -o $@
	@rm bin/plugins/$*.raw

bin/plugins/judge: FORCE
	@mkdir -p bin/plugins
	$(GO) build -trimpath -o $@ ./plugins/judge/main

# The whole process of recipes/carebot-tiny.yaml on the embedded sample data, its scorer and filter in the sandbox.
demo: build bin/plugins/confilter.wasm
	bin/carebot run recipes/carebot-tiny.yaml \
		plugins.context.use=$(CURDIR)/bin/plugins/confilter.wasm

test:
	$(GO) test ./...

# The kernels' tests and the gradient checks for every instruction set that this processor has, each forced; built
# without assembly; and for arm64 in emulation (qemu-user-static). What is left out by -short, make test does.
KERNELS := ./accelerators/cpu ./host/internal/tensor

test-isa:
	@sets=$$($(GO) test -v -run '^TestEverySetCanBeForced$$' ./accelerators/cpu | \
		sed -n 's|.* TestEverySetCanBeForced/\([^ ]*\) .*|\1|p'); \
	test -n "$$sets" && for set in $$sets; do \
		echo "CAREBOT_CPU=$$set" && CAREBOT_CPU=$$set $(GO) test -short $(KERNELS) || exit 1; \
	done
	$(GO) test -short -tags purego $(KERNELS)
	GOARCH=arm64 CAREBOT_CPU=neon $(GO) test -short -exec qemu-aarch64-static $(KERNELS)

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

generate:
	$(GO) generate ./...

# Measures the CPU engine beside its peers and writes docs/benchmarks.md; LLMC names a checkout of llm.c.
PEERS ?= .bench
bench:
	LLMC=$(LLMC) $(GO) run ./host/cmd/bench -peers $(PEERS)

# The part about plugins. Needs the toolchains of their languages (clang, cargo, npm) and the peers.
bench-plugins:
	$(GO) run ./host/cmd/bench -only plugins -rounds 5 -peers $(PEERS)

# Needs python3 with venv. The environment is a throw-away.
bench-peers:
	python3 -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install -q -r host/cmd/bench/peers/requirements.txt

# Compares models, tokenizers, templates and exports with other libraries and writes docs/compatibility.md. PEERS needs
# the packages of host/cmd/compatibility/requirements.txt too; DATA names the data pack, unpacked.
compatibility:
	$(GO) run ./host/cmd/compatibility -peers $(PEERS) -data $(DATA)

# The kernels for tests without a GPU: a driver that runs them on the processor. CAREBOT_LIBCUDA names it. The one in
# $(RACES) looks for races and is slower.
CUDA     := accelerators/cuda
EMULATOR := bin/emulator
RACES    := bin/emulator-races
MACHINE  := $(patsubst $(CUDA)/%,$(EMULATOR)/%.o,$(wildcard $(CUDA)/emulator/*.cpp))
SOURCES  := $(patsubst $(CUDA)/%,%,$(wildcard $(CUDA)/kernels/*.cu))
EMUFLAGS := -std=c++17 -O2 -fno-strict-aliasing -g -fPIC -Wall -Wno-unknown-pragmas -ffp-contract=off
CHECKS   := -fsanitize=alignment,bounds,shift,integer-divide-by-zero -fno-sanitize-recover=all
HEADERS  := $(wildcard $(CUDA)/emulator/*.h $(CUDA)/kernels/*.cuh $(CUDA)/include/*.h)

emulator: $(EMULATOR)/libcuda.so.1
emulator-races: $(RACES)/libcuda.so.1

$(EMULATOR)/libcuda.so.1: $(MACHINE) $(SOURCES:%=$(EMULATOR)/%.o)
	$(CXX) -shared -o $@ $^ -ldl

$(RACES)/libcuda.so.1: $(MACHINE) $(SOURCES:%=$(RACES)/%.o)
	$(CXX) -shared -o $@ $^ -ldl

$(EMULATOR)/%.cpp.o: $(CUDA)/%.cpp $(HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(EMUFLAGS) -c -o $@ $<

$(EMULATOR)/%.cu.o: $(CUDA)/%.cu $(HEADERS)
	@mkdir -p $(@D)
	$(CXX) -x c++ $(EMUFLAGS) $(CHECKS) -c -o $@ $<

$(RACES)/%.cu.o: $(CUDA)/%.cu $(HEADERS)
	@mkdir -p $(@D)
	$(CXX) -x c++ $(EMUFLAGS) -fsanitize=thread -c -o $@ $<

GPU := CGO_ENABLED=1 CGO_CFLAGS="-I$(CURDIR)/$(CUDA)/include" 

test-cuda-emulated: emulator
	$(GPU) CAREBOT_LIBCUDA=$(CURDIR)/$(EMULATOR)/libcuda.so.1 $(GO) test -tags cuda ./$(CUDA)/...

clean:
	rm -rf bin runs

FORCE:
