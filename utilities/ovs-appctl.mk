bin_PROGRAMS += utilities/ovs-appctl
utilities_ovs_appctl_SOURCES = utilities/ovs-appctl.cc
utilities_ovs_appctl_LDADD = $(utilities_LIBS) $(rpc_LIBS) $(base_LIBS)
