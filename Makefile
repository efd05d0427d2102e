# CareBot needs Go and make, nothing else.
GO      ?= go
PLUGINS := datarater confilter exam-reward reward-head
export CGO_ENABLED = 0

.PHONY: all build plugins demo test test-isa lint generate bench bench-plugins bench-peers compatibility clean
.PHONY: build-gpu lint-gpu emulator emulator-races test-cuda-emulated test-cuda-orders test-cuda-races test-gpu bench-gpu gpu-bundle kernels check-kernels check-cuda-header

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

# The CUDA device, tag cuda. Needs a C compiler; nothing of CUDA, whose driver is opened when the program starts.
CUDA := accelerators/cuda
GPU  := CGO_ENABLED=1 CGO_CFLAGS="-I$(CURDIR)/$(CUDA)/include"

build-gpu:
	$(GPU) $(GO) build -trimpath -tags cuda -o bin/carebot-gpu ./host/cmd/carebot

lint-gpu:
	$(GPU) $(GO) vet -tags cuda ./...
	$(GPU) $(GO) tool staticcheck -tags cuda ./...

# For tests without a GPU: a driver that runs the kernels on the processor. CAREBOT_LIBCUDA names it. The one in $(RACES)
# looks for races and is slower. Needs g++.
EMULATOR := bin/emulator
RACES    := bin/emulator-races
MACHINE  := $(patsubst $(CUDA)/%,$(EMULATOR)/%.o,$(wildcard $(CUDA)/emulator/*.cpp))
SOURCES  := $(patsubst $(CUDA)/%,%,$(wildcard $(CUDA)/kernels/*.cu))
EMUFLAGS := -std=c++17 -O2 -fno-strict-aliasing -g -fPIC -Wall -Wno-unknown-pragmas -ffp-contract=off
CHECKS   := -fsanitize=alignment,bounds,shift,integer-divide-by-zero -fno-sanitize-recover=all
HEADERS  := $(wildcard $(CUDA)/emulator/*.h $(CUDA)/kernels/*.cuh $(CUDA)/include/*.h)

emulator: $(EMULATOR)/libcuda.so.1 $(EMULATOR)/libcublasLt.so.13
emulator-races: $(RACES)/libcuda.so.1

$(EMULATOR)/libcuda.so.1: $(MACHINE) $(SOURCES:%=$(EMULATOR)/%.o)
	$(CXX) -shared -o $@ $^ -ldl

$(EMULATOR)/libcublasLt.so.13: $(CUDA)/emulator/cublaslt/cublaslt.cpp $(CUDA)/cublaslt/cublaslt.h
	@mkdir -p $(@D)
	$(CXX) $(EMUFLAGS) -O3 -shared -o $@ $<

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

# The device, and what runs on it: operations, models, generation, training that resumes, the command line.
EMULATED := $(GPU) CAREBOT_LIBCUDA=$(CURDIR)/$(EMULATOR)/libcuda.so.1 CAREBOT_GPU=required CAREBOT_CUBLASLT= $(GO) test \
	-count=1 -tags cuda

test-cuda-emulated: emulator
	$(EMULATED) ./$(CUDA)/...
	$(EMULATED) -short -run 'BF16|Repeated' ./host/internal/tensor ./host/internal/model ./host/internal/train ./host/internal/eval
	$(EMULATED) -run TestScriptsOfTheCUDADevice ./host/cmd/carebot

# The kernels with threads in other orders, streams that are late, and, five times slower, looked at for races.
test-cuda-orders: emulator
	for order in reverse shuffled; do \
		CAREBOT_EMULATOR_SCHEDULE=$$order $(EMULATED) -run 'TestDevice/Aligned' ./$(CUDA) || exit 1; \
	done
	for late in 1 2; do \
		CAREBOT_EMULATOR_LAZY=$$late $(EMULATED) -run 'TestDevice/(Memory|Errors|Fetch|Together)|TestTransfers' ./$(CUDA) || exit 1; \
	done

test-cuda-races: emulator-races
	$(subst $(EMULATOR)/libcuda,$(RACES)/libcuda,$(EMULATED)) -timeout 30m -run 'TestDevice/Aligned' ./$(CUDA)

# On a machine with a GPU.
test-gpu:
	$(GPU) CAREBOT_GPU=required $(GO) test -tags cuda ./$(CUDA)/...
	$(GPU) CAREBOT_GPU=required $(GO) test -tags cuda -run BF16 ./host/internal/...

bench-gpu:
	$(GPU) CAREBOT_GPU=required $(GO) test -tags cuda -run '^$$' -bench . -benchtime 3s ./$(CUDA)
	$(GPU) $(GO) run -tags cuda ./host/cmd/bench -device cuda -peers $(PEERS)

# One folder to copy to a machine with a GPU, which needs neither Go nor a compiler: ./run there does everything that
# docs/gpu-log.md asks for, and unpacks the programs first.
BUNDLE  := dist/gpu-bundle
SMALLER := -trimpath -tags cuda -ldflags "-s -w"

gpu-bundle:
	rm -rf $(BUNDLE) && mkdir -p $(BUNDLE)
	$(GPU) $(GO) build $(SMALLER) -o $(BUNDLE)/carebot-gpu ./host/cmd/carebot
	$(GPU) $(GO) test -c $(SMALLER) -o $(BUNDLE)/cuda.test ./$(CUDA)
	$(GPU) $(GO) build $(SMALLER) -o $(BUNDLE)/bench ./host/cmd/bench
	cd $(BUNDLE) && tar -c carebot-gpu bench cuda.test | xz -9 > programs.tar.xz && rm carebot-gpu bench cuda.test
	cp recipes/carebot-tiny.yaml docs/gpu-log.md $(BUNDLE)/
	mkdir -p $(BUNDLE)/host/cmd/bench && cp -r host/cmd/bench/peers $(BUNDLE)/host/cmd/bench/
	cp $(CUDA)/bundle.sh $(BUNDLE)/run
	@du -sm $(BUNDLE) && test "$$(du -sm $(BUNDLE) | cut -f1)" -lt 40 || { echo "the bundle is over 40 MB"; exit 1; }

# NVIDIA's run-time compiler and headers, for those who change kernels or cuda.h. Needs python3 with venv.
TOOLKIT  ?= .cuda
NVIDIA   := $(TOOLKIT)/nvidia
COMPILED := $(CUDA)/images docs/gpu-kernels.md

$(TOOLKIT)/ready: $(CUDA)/nvrtc/requirements.txt
	python3 -m venv $(TOOLKIT)/venv
	$(TOOLKIT)/venv/bin/python -m pip install -q --no-deps --upgrade --target $(TOOLKIT) -r $<
	@rm -rf $(TOOLKIT)/cache && touch $@

# Compiles the kernels' images, which are part of the tree, and the table of what they take.
kernels: $(TOOLKIT)/ready
	$(GPU) $(GO) run -tags cuda ./$(CUDA)/nvrtc/compile -nvrtc $(NVIDIA)/cuda_nvrtc/lib -cache $(TOOLKIT)/cache

# Whether the images are, byte for byte, what the compiler makes of the sources.
check-kernels:
	@if ! $(MAKE) $(TOOLKIT)/ready; then echo "SKIPPED: the images were not compared: no NVRTC is to be had"; else \
	$(MAKE) kernels && git diff --exit-code --stat -- $(COMPILED) && \
	test -z "$$(git status --porcelain -- $(COMPILED))" || { echo "commit what make kernels has changed"; exit 1; }; fi

check-cuda-header:
	@if ! $(MAKE) $(TOOLKIT)/ready; then echo "SKIPPED: cuda.h was not compared: the headers are not to be had"; else \
	CUDA_HEADERS=$(CURDIR)/$(NVIDIA)/cuda_runtime/include:$(CURDIR)/$(NVIDIA)/cu13/include \
	$(GO) test -count=1 -v ./$(CUDA)/include; fi

clean:
	rm -rf bin dist runs

FORCE:
