# SPDX-License-Identifier: GPL-2.0-only
# make            plugin, and modules for the running kernel (KDIR=... for another)
# make install    both, and the manual page
# make demo       real DTLS peers behind the balancer, in a virtual machine
# make demo-lbsp  the same for LBSP, IPv6 load balancing by a Destination Option
# make bench      what a datagram costs, in instructions, next to u32, nft and DNAT
# make bench-full the same with up to a million flows
# make check      all tests; downloads kernels into build/, installs test tools
# make check-all  the other kernels and flavours too
# make check-debug  all scenarios on debug kernels, which are built for it
# make soak       parsers, a thousand million times each
export PATH := $(PATH):/usr/sbin:/sbin

KDIR      ?= /lib/modules/$(shell uname -r)/build
CFLAGS    ?= -O2 -g
PREFIX    ?= /usr
XTLIBDIR  ?= $(shell pkg-config --variable=xtlibdir xtables)
MANDIR    ?= $(PREFIX)/share/man
SBINDIR   ?= $(PREFIX)/sbin
DESTDIR   ?=

PLUGINS   := $(patsubst %.c,build/%.so,$(wildcard extensions/lib*.c))
WARNINGS  := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes

# deps must be there before anything is built.
.NOTPARALLEL:

all: extensions modules

extensions: $(PLUGINS)

build/extensions/%.so: extensions/%.c $(wildcard extensions/*.h) $(wildcard kernel/include/uapi/linux/netfilter/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARNINGS) -fPIC -shared -Wl,-z,defs -Ikernel/include/uapi \
		$(shell pkg-config --cflags xtables) $(LDFLAGS) -o $@ $< \
		$(shell pkg-config --libs xtables)

# Built in a copy: the sources stay clean, and several kernels can be built for.
modules:
	@mkdir -p build/modules/kdir
	cp -Rpu kernel/. build/modules/kdir/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/build/modules/kdir $(KFLAGS) modules

install: install-extensions install-man install-tools install-modules

install-extensions: extensions
	install -d $(DESTDIR)$(XTLIBDIR)
	install -m 0644 $(PLUGINS) $(DESTDIR)$(XTLIBDIR)

install-man:
	install -d $(DESTDIR)$(MANDIR)/man8
	install -m 0644 man/*.8 $(DESTDIR)$(MANDIR)/man8

install-tools:
	install -d $(DESTDIR)$(SBINDIR)
	install -m 0755 tools/dtlscid $(DESTDIR)$(SBINDIR)

# Debian's headers have neither a key to sign with nor the System.map without
# which modules_install leaves depmod out.
install-modules: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR)/build/modules/kdir $(KFLAGS) \
		CONFIG_MODULE_SIG_ALL= $(if $(DESTDIR),INSTALL_MOD_PATH=$(abspath $(DESTDIR))) \
		modules_install
	[ -n "$(DESTDIR)" ] || depmod -a "$$($(MAKE) -s -C $(KDIR) kernelrelease)"

deps:
	@tests/deps

demo: deps extensions
	@tests/demo/run

demo-lbsp: deps extensions
	@tests/demo/run lbsp

bench: deps extensions
	@tests/bench/run

bench-full: deps extensions
	@tests/bench/run --full

check: deps extensions
	@tests/check

# And under the kernels and flavours that make check leaves out.
check-all: deps extensions
	@tests/check --all

check-debug: deps extensions
	@tests/check --debug

soak: deps
	@tests/fuzz/soak 1000000000

# One part of the tests, by its name in tests/check: make check-unit
check-%: deps extensions
	@tests/check $*

clean:
	rm -rf build/extensions build/modules build/unit build/fuzz build/log

# Everything downloaded too.
distclean:
	rm -rf build

.PHONY: all extensions modules install install-extensions install-man \
	install-tools install-modules deps demo demo-lbsp bench bench-full check check-all check-debug soak \
	clean distclean
