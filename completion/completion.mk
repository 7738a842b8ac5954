# Completion for bash, where bash-completion looks for it by the name of the command.
bashcompletiondir = $(datadir)/bash-completion/completions
EXTRA_DIST += completion/ovs-vsctl.bash completion/ovs-appctl.bash completion/ovs-conf.bash

INSTALL_TARGETS += install-bash-completion
UNINSTALL_TARGETS += uninstall-bash-completion
.PHONY: install-bash-completion uninstall-bash-completion
install-bash-completion:
	$(MKDIR_P) "$(DESTDIR)$(bashcompletiondir)"
	for name in ovs-vsctl ovs-appctl ovs-conf; do \
	  $(INSTALL_DATA) "$(srcdir)/completion/$$name.bash" "$(DESTDIR)$(bashcompletiondir)/$$name" || exit 1; \
	done
uninstall-bash-completion:
	for name in ovs-vsctl ovs-appctl ovs-conf; do rm -f "$(DESTDIR)$(bashcompletiondir)/$$name"; done
