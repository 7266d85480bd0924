# SPDX-License-Identifier: GPL-2.0-only
# make            plugin, and modules for the running kernel (KDIR=... for another)
# make install    both, and the manual page
# make demo       real DTLS peers behind the balancer, in a virtual machine
# make check      all tests; downloads kernels into build/, installs test tools
KDIR      ?= /lib/modules/$(shell uname -r)/build
CC        ?= gcc
CFLAGS    ?= -O2 -g
PREFIX    ?= /usr
XTLIBDIR  ?= $(shell pkg-config --variable=xtlibdir xtables)
MANDIR    ?= $(PREFIX)/share/man
DESTDIR   ?=

PLUGINS   := build/extensions/libxt_dtlscid.so
WARNINGS  := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Werror

all: extensions modules

extensions: $(PLUGINS)

build/extensions/%.so: extensions/%.c $(wildcard kernel/include/uapi/linux/netfilter/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARNINGS) -fPIC -shared -Ikernel/include/uapi \
		$(shell pkg-config --cflags xtables) $(LDFLAGS) -o $@ $<

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/kernel modules

install: install-extensions install-man install-modules

install-extensions: extensions
	install -d $(DESTDIR)$(XTLIBDIR)
	install -m 0644 $(PLUGINS) $(DESTDIR)$(XTLIBDIR)

install-man:
	install -d $(DESTDIR)$(MANDIR)/man8
	install -m 0644 man/*.8 $(DESTDIR)$(MANDIR)/man8

install-modules: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR)/kernel modules_install
	depmod -a

deps:
	@tests/deps

demo: deps extensions
	@tests/demo/run

check: deps extensions
	@tests/check

# One part of the tests, by its name in tests/check: make check-unit
check-%: deps extensions
	@tests/check $*

clean:
	rm -rf build/extensions build/modules build/unit build/fuzz build/log
	[ ! -d "$(KDIR)" ] || $(MAKE) -C $(KDIR) M=$(CURDIR)/kernel clean

# Everything downloaded too.
distclean:
	rm -rf build

.PHONY: all extensions modules install install-extensions install-man \
	install-modules deps demo check clean distclean
