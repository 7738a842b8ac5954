# Everything but main() is a library, for its unit tests and the fuzz target.
noinst_LIBRARIES += libovs-conf.a
libovs_conf_a_SOURCES = \
	utilities/conf/apply.cc \
	utilities/conf/apply.h \
	utilities/conf/declared.cc \
	utilities/conf/declared.h \
	utilities/conf/describe.cc \
	utilities/conf/describe.h \
	utilities/conf/dump.cc \
	utilities/conf/dump.h \
	utilities/conf/evaluate.cc \
	utilities/conf/evaluate.h \
	utilities/conf/faults.cc \
	utilities/conf/faults.h \
	utilities/conf/guard.cc \
	utilities/conf/guard.h \
	utilities/conf/kind.cc \
	utilities/conf/kind.h \
	utilities/conf/mistake.h \
	utilities/conf/names.cc \
	utilities/conf/numbers.cc \
	utilities/conf/numbers.h \
	utilities/conf/plan.cc \
	utilities/conf/plan.h \
	utilities/conf/present.cc \
	utilities/conf/present.h \
	utilities/conf/session.cc \
	utilities/conf/session.h \
	utilities/conf/settings.cc \
	utilities/conf/settings.h \
	utilities/conf/types.cc \
	utilities/conf/types.h \
	utilities/conf/undo.cc \
	utilities/conf/undo.h
conf_LIBS = libovs-conf.a $(vsctl_LIBS)

bin_PROGRAMS += utilities/ovs-conf
utilities_ovs_conf_SOURCES = utilities/ovs-conf.cc
utilities_ovs_conf_LDADD = $(conf_LIBS) $(base_LIBS)
