noinst_LIBRARIES += libovs-datapath.a
libovs_datapath_a_SOURCES = \
	src/datapath/action.h \
	src/datapath/action_hash.cc \
	src/datapath/action_text.cc \
	src/datapath/action_text.h \
	src/datapath/datapath.h \
	src/datapath/fake_datapath.cc \
	src/datapath/fake_datapath.h \
	src/datapath/flow_text.cc \
	src/datapath/flow_text.h \
	src/datapath/forwarder.cc \
	src/datapath/forwarder.h \
	src/datapath/header_text.cc \
	src/datapath/header_text.h \
	src/datapath/megaflow_table.cc \
	src/datapath/megaflow_table.h \
	src/datapath/packet_edit.cc \
	src/datapath/packet_edit.h \
	src/datapath/port_table.h \
	src/datapath/sampler.cc \
	src/datapath/sampler.h \
	src/datapath/signature_cache.h \
	src/datapath/sparse_mask.cc \
	src/datapath/sparse_mask.h \
	src/datapath/text_cursor.cc \
	src/datapath/text_cursor.h \
	src/datapath/tx_batches.cc \
	src/datapath/tx_batches.h \
	src/datapath/upcall_queue.cc \
	src/datapath/upcall_queue.h \
	src/datapath/user_engine.cc \
	src/datapath/user_engine.h \
	src/datapath/worker.cc \
	src/datapath/worker.h
