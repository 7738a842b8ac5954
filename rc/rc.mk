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

# What an administrator may have edited is kept: ours is put beside it, under a name that nothing reads.  To
# logrotate, that is one with an ending of its list "tabooext".
for_each_edited_file = \
	for file in $(OPENRC_CONFIGURATION); do \
	  edited "$$file" "$(confddir)/$$(basename "$$file")" .new; \
	done; \
	edited rc/openvswitch.logrotate "$(logrotatedir)/openvswitch" .disabled

.PHONY: install-openrc uninstall-openrc
install-openrc:
	@set -e; \
	put() { \
	  $(MKDIR_P) "$(DESTDIR)$${3%/*}"; \
	  $(adapt_paths) "$(srcdir)/$$2" >"$(DESTDIR)$$3"; \
	  chmod "$$1" "$(DESTDIR)$$3"; \
	}; \
	edited() { \
	  if ! [ -e "$(DESTDIR)$$2" ] && ! [ -L "$(DESTDIR)$$2" ]; then \
	    put 644 "$$1" "$$2"; \
	  elif ! $(adapt_paths) "$(srcdir)/$$1" | cmp -s - "$(DESTDIR)$$2"; then \
	    put 644 "$$1" "$$2$$3"; \
	    echo "$(DESTDIR)$$2 is kept as it is; that of this version is $(DESTDIR)$$2$$3"; \
	  fi; \
	}; \
	for file in $(OPENRC_SERVICES); do put 755 "$$file" "$(initddir)/$${file##*/}"; done; \
	put 644 rc/netifrc/openvswitch.sh "$(netifrcdir)/openvswitch.sh"; \
	$(for_each_edited_file)

uninstall-openrc:
	@edited() { \
	  for file in "$(DESTDIR)$$2" "$(DESTDIR)$$2$$3"; do \
	    if $(adapt_paths) "$(srcdir)/$$1" | cmp -s - "$$file"; then \
	      rm -f "$$file"; \
	    elif [ -e "$$file" ]; then \
	      echo "$$file was changed, and stays"; \
	    fi; \
	  done; \
	}; \
	for file in $(OPENRC_SERVICES); do rm -f "$(DESTDIR)$(initddir)/$${file##*/}"; done; \
	rm -f "$(DESTDIR)$(netifrcdir)/openvswitch.sh"; \
	$(for_each_edited_file)

if WITH_OPENRC
INSTALL_TARGETS += install-openrc
UNINSTALL_TARGETS += uninstall-openrc
endif
