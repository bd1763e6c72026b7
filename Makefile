# A thin front: Meson and Ninja do the work. `make help` lists the targets.
PREFIX  ?= /usr/local
BUILD   ?= build
FUZZ_SECONDS ?= 60

.PHONY: all dev demo test check check-all check-clients check-page bench paper base-model install deb release wheel format fuzz clean help

all:
	@scripts/install-deps build
	@scripts/build $(BUILD) leeroo

dev:
	@scripts/install-deps build
	@scripts/build build-dev leeroo

demo:
	@scripts/install-deps build
	@scripts/build -q $(BUILD) leeroo
	@$(BUILD)/leeroo demo

test:
	@scripts/install-deps build
	@scripts/run-test '$(T)'

check:
	@scripts/check

check-all:
	@scripts/check --all

check-clients:
	@scripts/check --clients

check-page:
	@scripts/check --page

bench: all
	@ninja -C $(BUILD) benches
	@scripts/bench

paper: all
	@ninja -C $(BUILD) bench/bench_paper
	@$(BUILD)/bench/bench_paper

base-model: all
	@ninja -C $(BUILD) bench/base_model
	@scripts/base-model $(BUILD)/bench/base_model

install: all
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@ninja -C $(BUILD)
	@meson install -C $(BUILD) --no-rebuild

deb:
	@scripts/deb

release:
	@scripts/release

wheel:
	@python3 python/leeroo_build.py $(BUILD)/wheel

format:
	@scripts/install-deps check
	@-find src tests fuzz bench include examples -name '*.[ch]' 2>/dev/null -exec clang-format -i {} +

fuzz:
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz

clean:
	rm -rf build build-dev build-check build-clang build-tsan build-valgrind build-fuzz build-library build-package

help:
	@echo 'make            build $(BUILD)/leeroo'
	@echo 'make dev        build build-dev/leeroo: a change of one file takes seconds'
	@echo 'make demo       the whole loop on built-in experts: no key, no data, no network'
	@echo 'make test T=x   one test: a folder of src, a file, a suite (T=split/*), an end-to-end test (T=drain)'
	@echo 'make check      unit tests under sanitizers, layer and format checks, end-to-end tests, fuzz seeds'
	@echo 'make check-all  and clang, ThreadSanitizer, valgrind, shellcheck, $(FUZZ_SECONDS) s of fuzzing a target, benches, clients'
	@echo 'make check-clients  agents and client libraries of Python, Node.js, Go and Java against the gateway'
	@echo 'make check-page the operator'\''s page in Chromium: every view, hostile texts, keyboard, contrast'
	@echo 'make bench      the benchmarks'
	@echo 'make paper      the claims of the Leeroo paper, measured on recorded outcomes ($$LEEROO_DATA)'
	@echo 'make base-model what ships for experts without outcomes, made again from recorded ones ($$LEEROO_DATA)'
	@echo 'make fuzz       $(FUZZ_SECONDS) s of fuzzing a target (FUZZ_SECONDS=, FUZZ_TARGETS=)'
	@echo 'make format     clang-format over every source file'
	@echo 'make install    install under $(PREFIX) (PREFIX=, DESTDIR=)'
	@echo 'make deb        Debian packages, in build/packages (DEB_REVISION=, LEEROO_LLAMA=no)'
	@echo 'make release    a tarball that runs on Debian 12 and newer systems, SBOM and checksums, in build/packages'
	@echo 'make wheel      the Python package of libleeroo, in $(BUILD)/wheel'
	@echo 'make clean      remove the build folders'
