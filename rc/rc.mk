# OpenRC: services, their configuration, log rotation, and the module for netifrc.
#
# `make install-openrc` puts them where OpenRC and netifrc look for them, and `make install` does so
# where configure was given --with-openrc.  This is the one list of them: the ebuild installs by it.

OPENRC_SERVICES = rc/ovs rc/ovs-vswitchd rc/ovsdb-server
OPENRC_CONFIGURATION = conf.d/ovs conf.d/ovs-vswitchd conf.d/ovsdb-server
EXTRA_DIST += $(OPENRC_SERVICES) $(OPENRC_CONFIGURATION) rc/openvswitch.logrotate rc/netifrc/openvswitch.sh
# Gentoo's package, which comes to what `make install` does with --with-openrc.
EXTRA_DIST += ebuild

initddir = $(sysconfdir)/init.d
confddir = $(sysconfdir)/conf.d
logrotatedir = $(sysconfdir)/logrotate.d
netifrcdir = /lib/netifrc/net

# The files are complete as they are, for the directories that Gentoo has.  Others are put in their place.
adapt_paths = $(SED) -e 's|/usr/sbin/ov|$(sbindir)/ov|g' -e 's|/usr/bin/ov|$(bindir)/ov|g' \
	-e 's|/usr/share/openvswitch|$(pkgdatadir)|g' -e 's|/run/openvswitch|$(rundir)|g' \
	-e 's|/var/lib/openvswitch|$(dbdir)|g' -e 's|/var/log/openvswitch|$(logdir)|g' \
	-e 's|/etc/openvswitch|$(sysconfdir)/openvswitch|g' -e 's|/etc/conf[.]d|$(sysconfdir)/conf.d|g'

.PHONY: install-openrc uninstall-openrc
install-openrc:
	set -e; \
	put() { \
	  $(MKDIR_P) "$(DESTDIR)$$3"; \
	  $(adapt_paths) "$(srcdir)/$$2" >"$(DESTDIR)$$3/$$4"; \
	  chmod "$$1" "$(DESTDIR)$$3/$$4"; \
	}; \
	for file in $(OPENRC_SERVICES); do put 755 "$$file" "$(initddir)" "$${file##*/}"; done; \
	for file in $(OPENRC_CONFIGURATION); do put 644 "$$file" "$(confddir)" "$${file##*/}"; done; \
	put 644 rc/openvswitch.logrotate "$(logrotatedir)" openvswitch; \
	put 644 rc/netifrc/openvswitch.sh "$(netifrcdir)" openvswitch.sh

uninstall-openrc:
	for file in $(OPENRC_SERVICES); do rm -f "$(DESTDIR)$(initddir)/$${file##*/}"; done
	for file in $(OPENRC_CONFIGURATION); do rm -f "$(DESTDIR)$(confddir)/$${file##*/}"; done
	rm -f "$(DESTDIR)$(logrotatedir)/openvswitch" "$(DESTDIR)$(netifrcdir)/openvswitch.sh"

if WITH_OPENRC
INSTALL_TARGETS += install-openrc
UNINSTALL_TARGETS += uninstall-openrc
endif
