# vmrun: one Makefile, objects in build/, no configure step.
#
#   make            build/bin/vmrun and build/libexec/vmrun/*
#   make deps       install the Debian packages that building, running and testing need; asks nothing
#   make guest      kernel and initrd of container bundles, from Debian's packages: build/guest/
#   make demo       boot a stock Debian kernel from a bundle, each command echoed
#   make check      every test, one totals line at the end
#                   (demo, check and bench run deps where a package is missing, and say which)
#   make soak       an hour of fuzzing and of suites that repeat (SOAK_MINUTES)
#   make conformance PJDFSTEST=DIR CRUN=DIR RUNTIME_TOOLS=DIR
#                   public suites, of each of which DIR is a checkout; one is enough
#   make fuzz       each fuzz harness for a minute, or TIME seconds; needs clang and llvm
#   make prove      every small world, for the two modules that hold hostile numbers: minutes
#   make mutants    which refusals a test would miss: half an hour, or FILE="devices/rng.c ..."
#   make mutants-stages
#                   the same for the steps of the jail; root
#   make golden     write tests/golden as the code has it now; review the difference
#   make rules      write tests/golden/policy_rules: which rules of our policies each test uses; half an hour
#   make help       these lines
#   make bench lint sanitize sanitize-guests install clean

SHELL  := /bin/bash
B      := build
ARCH   := $(shell uname -m)
CC     ?= gcc
CLANG  ?= clang
PREFIX ?= /usr/local
SAN    ?=

VERSION := 0.1.0
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

# make V=1 shows the commands themselves.
Q     := $(if $(V),,@)
say    = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

# ---- flags ----------------------------------------------------------------------------------
WARN      := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith \
             -Wvla -Wundef -Wformat=2 -Wframe-larger-than=16384
HARDEN    := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
             -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr \
             -fno-delete-null-pointer-checks -fno-strict-overflow
ifeq ($(ARCH),x86_64)
HARDEN    += -fcf-protection=full
endif
ifneq ($(SAN),)
HARDEN    := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer $(COVERAGE)
LDSAN     := -fsanitize=$(SAN) $(COVERAGE)
endif
CFLAGS    := -std=gnu11 -O2 -g -pipe -fPIE -fvisibility=hidden -ffunction-sections \
             -fdata-sections $(WARN) $(HARDEN)
CPPFLAGS  := -I. -I$(B)/gen -D_GNU_SOURCE -DVMRUN_VERSION='"$(VERSION)"' -MMD -MP
# Jailed programs are linked with musl: a twentieth of glibc's size, and nothing that runs before main().
MUSL_INC  := /usr/include/$(ARCH)-linux-musl
MUSL_LIB  := /usr/lib/$(ARCH)-linux-musl
CPP_JAIL  := -nostdinc -isystem $(MUSL_INC) -isystem $(shell $(CC) -print-file-name=include) \
             -idirafter /usr/include -idirafter /usr/include/$(ARCH)-linux-gnu
LDHARD    := -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections
LD_JAILED := -nostdlib -static-pie $(LDHARD) $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o
LIBS_JAIL := $(MUSL_LIB)/libc.a $(shell $(CC) -print-libgcc-file-name) $(MUSL_LIB)/crtn.o
# A sanitizer's run time needs glibc, and no filter: those run with --disable-sandbox.
ifneq ($(SAN),)
CPP_JAIL  :=
LD_JAILED := -pie $(LDSAN) -Wl,--wrap=mmap
LIBS_JAIL := -lpthread
$(B)/obj/tests/sanitize/%.o: CPPFLAGS += -DSANITIZER_LOG='"$(abspath $(B))/sanitizer"'
endif
LD_HOST   := -pie $(LDHARD),--as-needed
LIBS_HOST := -ljson-c -lcap -lmnl -lseccomp
# The two folders whose code meets hostile numbers convert nothing in silence.
$(B)/obj/devices/%.o $(B)/jail/devices/%.o: CFLAGS += -Wconversion

# ---- what is built --------------------------------------------------------------------------
core_src    := $(wildcard devices/core/*.c)
device_src  := $(filter-out $(core_src),$(wildcard devices/*.c devices/*/*.c))
# What an architecture gives the VMM lies in a folder of its own; one of them is built.
arch_dir    := $(if $(filter x86_64,$(ARCH)),x86,$(ARCH))
vmm_src     := $(wildcard vmm/*.c vmm/virtio/*.c vmm/$(arch_dir)/*.c)
runtime_src := $(wildcard runtime/*/*.c runtime/*.c)
vmrun_src   := $(wildcard cmd/vmrun/*.c)
init_src    := $(wildcard cmd/vmrun-init/*.c)
arches      := x86_64 aarch64 arm
policy_src  := $(filter-out policies/main.c,$(wildcard policies/*.c))
objs         = $(patsubst %.c,$(B)/obj/%.o,$(1))
jail_objs    = $(patsubst %.c,$(B)/jail/%.o,$(1))

# Each `const struct device_ops NAME_device` is a program, vmrun-dev-NAME.
devices     := $(shell sed -nE 's/^const struct device_ops ([a-z0-9_]+)_device = .*/\1/p' $(device_src))
libexec     := $(B)/libexec/vmrun
dev_progs   := $(devices:%=$(libexec)/vmrun-dev-%)
programs    := $(B)/bin/vmrun $(libexec)/vmrun-vmm $(dev_progs) $(B)/guest/vmrun-init

all: $(programs) $(arches:%=$(B)/gen/policies_%.c)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The same sources for the jail; build/obj has them for the runtime and for tests.
$(B)/jail/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPP_JAIL) $(CPPFLAGS) $(CFLAGS) -U_FORTIFY_SOURCE -c -o $@ $<

$(B)/lib/core.a: $(call objs,$(core_src))
$(B)/lib/vmm.a: $(call objs,$(vmm_src))
$(B)/lib/runtime.a: $(call objs,$(runtime_src))
$(B)/lib/devices.a: $(call objs,$(device_src))
$(B)/lib/init.a: $(filter-out %/main.o,$(call objs,$(init_src)))
$(B)/lib/support.a: $(call objs,$(wildcard tests/support/*.c))
$(B)/lib/jail-core.a: $(call jail_objs,$(core_src))
$(B)/lib/jail-vmm.a: $(call jail_objs,$(vmm_src))
$(B)/lib/jail-devices.a: $(call jail_objs,$(device_src))
$(B)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar qcs $@ $^

# What the kernel's headers call numbers, for each architecture
$(arches:%=$(B)/gen/constants_%.c): $(B)/gen/constants_%.c: policies/constants.sh
	@mkdir -p $(@D)
	$(call say,CONST,$@)
	$(Q)$< $(CC) $* $@
$(arches:%=$(B)/obj/gen/constants_%.o): $(B)/obj/gen/constants_%.o: $(B)/gen/constants_%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/lib/policies.a: $(call objs,$(policy_src)) $(arches:%=$(B)/obj/gen/constants_%.o)

# policyc runs on the build machine and turns policy text into BPF arrays. Those of other architectures are only
# compiled, so that they stay right.
$(B)/policyc: $(B)/obj/policies/main.o $(B)/lib/policies.a $(B)/lib/core.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDSAN) -o $@ $^ -pie -lseccomp
$(arches:%=$(B)/gen/policies_%.c): $(B)/gen/policies_%.c: $(B)/policyc $(wildcard policies/*/*.policy)
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(B)/policyc $* $@.tmp $(wildcard policies/$*/*.policy)
	@mv $@.tmp $@
$(B)/obj/gen/policies.o: $(B)/gen/policies_$(ARCH).c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/bin/vmrun: $(call objs,$(vmrun_src)) $(B)/lib/runtime.a $(B)/lib/policies.a $(B)/obj/gen/policies.o $(B)/lib/core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_HOST) $(LDSAN) -o $@ $^ $(LIBS_HOST)
$(libexec)/vmrun-vmm: $(B)/jail/cmd/vmrun-vmm.o $(B)/lib/jail-vmm.a $(B)/lib/jail-core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_JAILED) -o $@ $^ $(LIBS_JAIL)
# One main() for all devices, compiled once for each with DEVICE=NAME_device; the linker takes from the
# archives what that table needs.
$(devices:%=$(B)/jail/cmd/vmrun-dev-%.o): $(B)/jail/cmd/vmrun-dev-%.o: cmd/vmrun-dev.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPP_JAIL) $(CPPFLAGS) -DDEVICE=$*_device $(CFLAGS) -U_FORTIFY_SOURCE -c -o $@ $<
$(libexec)/vmrun-dev-%: $(B)/jail/cmd/vmrun-dev-%.o $(B)/lib/jail-devices.a $(B)/lib/jail-core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_JAILED) -o $@ $^ $(LIBS_JAIL)

# Process 1 of a container's guest; it goes into that guest's initrd.
$(B)/guest/vmrun-init: $(call jail_objs,$(init_src)) $(B)/lib/jail-core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_JAILED) -o $@ $^ $(LIBS_JAIL)

# Kernel and initrd are made together.
$(B)/guest/initrd: cmd/vmrun-init/mkguest bundle-examples/debs.sh $(B)/guest/vmrun-init
	$(call say,GUEST,$@)
	$(Q)$< $(@D)
# Asked for by name, it takes the newest kernel.
guest: $(B)/guest/vmrun-init
	$(Q)cmd/vmrun-init/mkguest --newest $(B)/guest

# `vmrun --version` names the commit it was built from; nothing else depends on it.
$(B)/obj/cmd/vmrun/version.o: CPPFLAGS += -DVMRUN_COMMIT='"$(COMMIT)"'

# ---- tests ----------------------------------------------------------------------------------
unit_src   := $(wildcard tests/unit/*/*.c)
unit_bins  := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(unit_src))
test_libs  := $(B)/lib/support.a $(B)/lib/runtime.a $(B)/lib/vmm.a $(B)/lib/devices.a $(B)/lib/core.a \
              $(B)/obj/gen/policies.o $(B)/lib/policies.a
fuzz_src   := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(fuzz_src))
replays    := $(fuzz_names:%=$(B)/tests/replay_%)
guest_src  := $(wildcard tests/guests/*.c)
guests     := $(patsubst tests/guests/%.c,$(B)/guests/%.elf,$(guest_src))

# Tests run for a second, and take longer to compile. What they test is optimized as always.
$(B)/obj/tests/unit/%.o: CFLAGS += -O0 -U_FORTIFY_SOURCE -Wno-frame-larger-than

# Those of the guest's process 1 see nothing of the host's side.
$(B)/tests/unit/init/%: $(B)/obj/tests/unit/init/%.o $(B)/lib/init.a $(B)/lib/support.a $(B)/lib/core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDSAN) -pie -o $@ $< $(B)/lib/support.a $(B)/lib/init.a $(B)/lib/core.a -lcriterion -lpthread
# What the host describes of a network and the guest sets up is compared.
$(B)/tests/unit/net/%: $(B)/obj/tests/unit/net/%.o $(test_libs) $(B)/lib/init.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDSAN) -pie -o $@ $< -Wl,--start-group $(test_libs) $(B)/lib/init.a -Wl,--end-group $(LIBS_HOST) -lcriterion -lpthread
$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(test_libs)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDSAN) -pie -o $@ $< -Wl,--start-group $(test_libs) -Wl,--end-group $(LIBS_HOST) -lcriterion -lpthread
$(B)/tests/replay_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay.o $(test_libs) $(B)/lib/init.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDSAN) -pie -Wl,--gc-sections -o $@ $(B)/obj/tests/fuzz/fuzz_$*.o $(B)/obj/tests/fuzz/replay.o -Wl,--start-group $(test_libs) $(B)/lib/init.a -Wl,--end-group $(LIBS_HOST) -lpthread

# Freestanding guests: one file, one behaviour, plus tests/guests/lib.
GUEST_CFLAGS := -std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mno-sse -mno-mmx -mno-avx \
                -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -mcmodel=kernel \
                -nostdlib -static -Wall -Wextra -I. -Itests/guests
guest_lib  := $(wildcard tests/guests/lib/*.c tests/guests/lib/*.S)
$(B)/guests/%.elf: tests/guests/%.c $(guest_lib) $(wildcard tests/guests/lib/*.h) tests/guests/lib/guest.ld
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -T tests/guests/lib/guest.ld -o $@ $< $(guest_lib)

# Devices in enemy hands, in place of the ones they are named after: same main(), jail and policy.
hostile    := $(patsubst tests/hostile/%.c,$(B)/tests/hostile/vmrun-dev-%,$(wildcard tests/hostile/*.c))
$(B)/tests/hostile/vmrun-dev-%: $(B)/jail/cmd/vmrun-dev-%.o $(B)/jail/tests/hostile/%.o $(B)/lib/jail-core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_JAILED) -o $@ $^ $(LIBS_JAIL)

# All programs that ship, with what an enemy in them would try, and a vmrun that can leave out a stage of the jail:
# the linker gives both the calls that they wrap (tests/hostile/README.md).
enemy      := $(B)/tests/hostile/enemy
enemies    := $(patsubst $(libexec)/%,$(enemy)/libexec/vmrun/%,$(libexec)/vmrun-vmm $(dev_progs)) $(enemy)/bin/vmrun
enemy_objs := $(call jail_objs,$(wildcard tests/hostile/attempts/*.c))
$(enemy_objs): CFLAGS += -Wno-missing-field-initializers # their tables are rows of few words
empty      :=
wraps       = $(subst $(empty) ,,$(1:%=,--wrap=%))
LD_ENEMY   := $(LD_JAILED) -Wl$(call wraps,lockdown lockdown_later refused_watch gmem_map loop_run syscall prctl)
LD_STAGES  := -Wl$(call wraps,unshare sethostname syscall userns_write_maps userns_become root_empty caps_apply setrlimit execveat)
$(enemy)/libexec/vmrun/vmrun-vmm: $(B)/jail/cmd/vmrun-vmm.o $(enemy_objs) $(B)/lib/jail-vmm.a $(B)/lib/jail-core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_ENEMY) -o $@ $^ $(LIBS_JAIL)
$(enemy)/libexec/vmrun/vmrun-dev-%: $(B)/jail/cmd/vmrun-dev-%.o $(enemy_objs) $(B)/lib/jail-devices.a $(B)/lib/jail-core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_ENEMY) -o $@ $^ $(LIBS_JAIL)
$(enemy)/bin/vmrun: $(call objs,$(vmrun_src) tests/hostile/jail/stages.c) $(B)/lib/runtime.a $(B)/lib/policies.a $(B)/obj/gen/policies.o $(B)/lib/core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_HOST) $(LDSAN) $(LD_STAGES) -o $@ $^ $(LIBS_HOST)

# Programs of tests that run by themselves, most of them in Linux guests
in_guests  := $(patsubst tests/linux/%.c,$(B)/tests/linux/%,$(wildcard tests/linux/*.c))
$(B)/tests/linux/%: tests/linux/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 -D_GNU_SOURCE $(WARN) -static -o $@ $<

# Each enumerates small worlds of an audited module.
proofs     := $(patsubst tests/prove/%.c,$(B)/tests/prove/%,$(wildcard tests/prove/prove_*.c))
$(B)/tests/prove/%: $(B)/obj/tests/prove/%.o $(B)/lib/core.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDSAN) -pie -o $@ $^

hostile: $(hostile)
tests: all $(unit_bins) $(replays) $(guests) $(hostile) $(enemies) $(in_guests)
guests: $(guests)
enemies: $(enemies)

check: need
	$(MAKE) -j$$(nproc) tests guest
	tests/check all
check-unit: $(unit_bins) $(replays)
	tests/check unit fuzz
check-guests: all $(guests) $(hostile) $(enemies) $(in_guests)
	tests/check guests
check-linux: all guest $(in_guests)
	tests/check linux
# The files of tests/golden, written by the tests that compare with them.
golden_src := $(shell grep -l 'support/golden\.h' $(unit_src))
golden: $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(golden_src))
	$(Q)for t in $^; do UPDATE_GOLDEN=1 $$t --jobs 1 || exit 1; done
	$(Q)git --no-pager diff --stat -- tests/golden
rules: need
	$(MAKE) -j$$(nproc) tests guest
	tests/rules
bench: need
	$(MAKE) -j$$(nproc) all guests guest
	tests/bench/run
demo: need
	$(MAKE) -j$$(nproc) all guest
	tests/demo
deps:
	tests/deps
need:
	@missing=$$(tests/deps --missing) || exit; \
	[ -z "$$missing" ] || { echo "missing: $$missing; running make deps" && tests/deps; }
fuzz:
	FUZZ_SECONDS=$(or $(TIME),$(FUZZ_SECONDS),60) tests/fuzz/run
soak: need
	$(MAKE) -j$$(nproc) tests
	tests/soak
conformance: need
	$(if $(PJDFSTEST)$(CRUN)$(RUNTIME_TOOLS),$(MAKE) -j$$(nproc) all)
	$(Q)PJDFSTEST='$(PJDFSTEST)' CRUN='$(CRUN)' RUNTIME_TOOLS='$(RUNTIME_TOOLS)' tests/conformance/run
prove: $(proofs)
	$(Q)for p in $^; do $$p || exit 1; done
mutants:
	tests/mutants/run $(FILE)
mutants-stages: all guests hostile $(B)/tests/unit/core/test_lockdown $(B)/tests/unit/jail/test_self
	tests/mutants/stages
sanitize:
	$(MAKE) B=build/san SAN=address,undefined -j$$(nproc) build/san/unit-all
	B=build/san tests/check unit fuzz
# VMM and devices under the guests that attack them. No sanitizer works behind their filters, so they have no jails. Each
# file that they map shared, guest RAM too, lies between areas that nothing may touch (tests/sanitize).
sanitize-guests: all guests
	$(MAKE) B=build/san SAN=address,undefined -j$$(nproc) build/san/machine
	HOSTILE_SANITIZED=build/san tests/guests/hostile_guests.sh | tee build/san/hostile_guests.tap
	grep -q '^ok' build/san/hostile_guests.tap && ! grep '^not ok' build/san/hostile_guests.tap
$(B)/machine: $(filter $(libexec)/%,$(programs))
$(if $(SAN),$(filter $(libexec)/%,$(programs)): $(B)/obj/tests/sanitize/sanitized.o)
$(B)/unit-all: $(unit_bins) $(replays)

lint: lint-own
	cppcheck --quiet --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem -I. -D_GNU_SOURCE -D__x86_64__ cmd runtime vmm devices policies
	$(CLANG)-tidy --quiet $(core_src) $(device_src) $(vmm_src) -- -I. -D_GNU_SOURCE -std=gnu11 -w
lint-own: all $(B)/lib/devices.a
	tests/check lint

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/vmrun
	install -s -m 0755 $(B)/bin/vmrun $(DESTDIR)$(PREFIX)/bin/
	install -s -m 0755 $(libexec)/vmrun-* $(DESTDIR)$(PREFIX)/libexec/vmrun/
	@[ -e $(B)/guest/initrd ] || echo "install: containers need a guest: make guest, then make install again"
	if [ -e $(B)/guest/initrd ]; then install -d $(DESTDIR)$(PREFIX)/share/vmrun && \
		install -m 0644 $(B)/guest/vmlinuz $(B)/guest/initrd $(DESTDIR)$(PREFIX)/share/vmrun/; fi

clean:
	rm -rf $(B)

help:
	@sed -n '3,/^$$/s/^#   //p' Makefile

.PHONY: all tests guest guests hostile enemies check check-unit check-guests check-linux bench demo deps need golden rules fuzz prove mutants mutants-stages soak conformance sanitize sanitize-guests lint lint-own install clean help
.SECONDARY:
-include $(shell find $(B)/obj $(B)/jail -name '*.d' 2>/dev/null)
