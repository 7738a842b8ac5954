noinst_LIBRARIES += libovs-datapath.a
libovs_datapath_a_SOURCES = \
	src/datapath/action.h \
	src/datapath/datapath.h
