# Inox.  `make` builds, `make run` shows it, `make test` proves it; `make help` lists the rest.
#
# Meson and ninja do the work (meson.build); this file is the front door and checks that the packages
# are there.  Variables: PREFIX (/usr/local), DESTDIR, CC, BUILD (build), INOX_NO_INSTALL=1.

PREFIX ?= /usr/local
BUILD ?= build
MESON ?= meson
NINJA ?= ninja
MESON_FLAGS ?=
SHELL = /bin/sh
MAKEFLAGS += --no-print-directory

# make's own default for CC is cc; Meson finds the same one, so only a CC that was asked for is passed.
ifneq ($(filter environment command,$(subst command line,command,$(origin CC))),)
export CC
endif

.PHONY: all run test exact bench fuzz asan tsan install uninstall clean help packages

all: $(BUILD)/build.ninja
	@$(NINJA) -C $(BUILD)

# ---- build directories -------------------------------------------------------------------------------

$(BUILD)/build.ninja: | packages
	@$(MESON) setup $(BUILD) --prefix "$(PREFIX)" $(MESON_FLAGS)

build-asan/build.ninja: | packages
	@$(MESON) setup build-asan -Db_sanitize=address,undefined -Db_lundef=false $(MESON_FLAGS)

build-tsan/build.ninja: | packages
	@$(MESON) setup build-tsan -Db_sanitize=thread -Db_lundef=false $(MESON_FLAGS)

build-fuzz/build.ninja: | packages
	@CC=clang $(MESON) setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
		-Db_lundef=false $(MESON_FLAGS)

packages:
	@tools/install-deps.sh

# ---- what people type --------------------------------------------------------------------------------

run: all
	@INOX="$(BUILD)/inox" tools/demo.sh

test: all
	@$(NINJA) -C $(BUILD) tests
	@python3 test/run.py $(BUILD)

# EXACT="compilers machines matrix": some of its parts.
exact: all
	@$(NINJA) -C $(BUILD) tests
	@python3 test/exact.py $(BUILD) $(EXACT)

bench: all
	@python3 bench/run.py $(BUILD)

asan: build-asan/build.ninja
	@$(NINJA) -C build-asan all tests
	@ASAN_OPTIONS=strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 INOX_TEST_SLOWER=5 \
		python3 test/run.py build-asan

tsan: build-tsan/build.ninja
	@$(NINJA) -C build-tsan all tests
	@TSAN_OPTIONS=halt_on_error=1 INOX_TEST_SLOWER=20 python3 test/run.py build-tsan

# FUZZ_SECONDS per target (60); FUZZ=name for one of them.
fuzz: build-fuzz/build.ninja
	@$(NINJA) -C build-fuzz fuzzers
	@fuzz/run.sh build-fuzz

install: all
	@tools/install.py install "$(BUILD)" "$(PREFIX)" "$(DESTDIR)"

uninstall: $(BUILD)/build.ninja
	@tools/install.py uninstall "$(BUILD)" "$(PREFIX)" "$(DESTDIR)"

clean:
	rm -rf build build-asan build-tsan build-fuzz

help:
	@echo "make            build the release program $(BUILD)/inox and the library"
	@echo "make run        check packages, build, let the built-in model write, replay its receipt"
	@echo "make test       build and run all tests"
	@echo "make exact      the matrix of equalities, compilers and emulated machines (an hour or so)"
	@echo "make bench      measure speed"
	@echo "make fuzz       fuzz every parser (clang; FUZZ_SECONDS=60 each, FUZZ=name for one)"
	@echo "make asan       tests with AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make tsan       tests with ThreadSanitizer"
	@echo "make install    into PREFIX (/usr/local), below DESTDIR; make uninstall removes it"
	@echo "make clean      remove the build directories"
	@echo "INOX_NO_INSTALL=1: never install packages, only list what is missing"
