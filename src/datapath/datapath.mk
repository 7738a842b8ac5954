noinst_LIBRARIES += libovs-datapath.a
libovs_datapath_a_SOURCES = \
	src/datapath/action.h \
	src/datapath/action_text.cc \
	src/datapath/action_text.h \
	src/datapath/datapath.h \
	src/datapath/fake_datapath.cc \
	src/datapath/fake_datapath.h \
	src/datapath/flow_text.cc \
	src/datapath/flow_text.h \
	src/datapath/header_text.cc \
	src/datapath/header_text.h \
	src/datapath/text_cursor.cc \
	src/datapath/text_cursor.h
