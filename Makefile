# A thin front for Meson: `make demo` and `make test` start from a bare Debian 12.  `make help` lists the rest.
BUILD ?= build
MESON_OPTIONS ?=
SECONDS ?= 60
DESTDIR ?=
FORMATTED = git ls-files '*.c' '*.h' '*.inc'

.PHONY: build demo test check check-all sanitize tsan valgrind hostile lint layers headers clang fuzz bench golden docs gallery install format clean help

build: $(BUILD)/build.ninja ## compile everything
	@ninja -C $(BUILD) --quiet

%/build.ninja:
	@meson setup $* $(MESON_OPTIONS) >$*.setup.log 2>&1 || { cat $*.setup.log; exit 1; }
	@rm -f $*.setup.log

demo: ## set up, build, put the first law to the test, then all of them, onto one page
	@./setup
	@$(MAKE) --no-print-directory build
	./$(BUILD)/src/cli/orrery law run edge-of-stability --size quick
	./$(BUILD)/src/cli/orrery atlas --size quick

test: ## set up, build, and run every test
	@./setup --test
	@$(MAKE) --no-print-directory check-all

check: build ## the quick tests (under a minute)
	@tools/run-tests $(BUILD) --no-suite slow

check-all: build ## every test
	@tools/run-tests $(BUILD)

# Separate build folders, so that the plain build stays as it is.
sanitize: ## every test under AddressSanitizer and UndefinedBehaviorSanitizer
	@test -d build-sanitize || meson setup build-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized >/dev/null
	@ninja -C build-sanitize --quiet
	@ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 tools/run-tests build-sanitize -t 5

tsan: ## the tests of threads under ThreadSanitizer
	@test -d build-tsan || CC=clang meson setup build-tsan -Db_sanitize=thread -Db_lundef=false -Dbuildtype=debugoptimized >/dev/null
	@ninja -C build-tsan --quiet
	@tools/run-tests build-tsan -t 5 --suite base --suite device

valgrind: build ## the quick tests of the rooms that hold handles, under valgrind
	@tools/run-tests $(BUILD) -t 20 --no-suite slow --suite base --suite store --suite numeric \
	  --wrap "valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect"

hostile: build ## the quick tests with tiny first buffers and poisoned freed memory
	@ORRERY_HOSTILE=1 tools/run-tests $(BUILD) --no-suite slow

lint: build ## layout, static analysis
	@tools/lint $(BUILD)

layers: ## each room uses only rooms below it
	@tools/layers.py $(wildcard $(BUILD)/src/liborrery.a)

headers: build ## each header compiles alone; the public one as C11 and C++17, and the library has all it declares
	@tools/headers $(BUILD)

clang: ## the second compiler, warnings as errors
	@test -d build-clang || CC=clang meson setup build-clang --werror >/dev/null
	@ninja -C build-clang --quiet

fuzz: ## every fuzzer for SECONDS (60)
	@test -d build-fuzz || CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized >/dev/null
	@ninja -C build-fuzz --quiet
	@tools/run-fuzzers build-fuzz $(SECONDS)

bench: build ## ratios against PyTorch, in one run
	@./setup --bench
	@bench/compare

golden: ## re-make the golden numbers of the tests from their independent sources
	@./setup --bench
	@tools/make-goldens

docs: build ## write docs/reference anew from the program's own tables
	@tools/make-reference $(BUILD)/src/cli/orrery docs/reference

gallery: build ## draw docs/gallery.md anew from the quick atlas
	./$(BUILD)/src/cli/orrery atlas --size quick
	tools/make-gallery orrery-atlas.html

install: build ## DESTDIR= is respected
	@DESTDIR="$(abspath $(DESTDIR))" meson install -C $(BUILD) --no-rebuild --quiet

format: ## lay out the code
	@$(FORMATTED) | xargs clang-format -i

clean: ## remove every build folder
	@rm -rf build build-*

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12
