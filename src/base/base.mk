noinst_LIBRARIES += libovs-base.a
libovs_base_a_SOURCES = \
	src/base/byte_order.h \
	src/base/check.cc \
	src/base/check.h \
	src/base/command.cc \
	src/base/command.h \
	src/base/coverage.cc \
	src/base/coverage.h \
	src/base/descriptor.h \
	src/base/json.cc \
	src/base/json.h \
	src/base/json_write.cc \
	src/base/log.cc \
	src/base/log.h \
	src/base/log_pattern.cc \
	src/base/log_pattern.h \
	src/base/log_syslog.cc \
	src/base/log_syslog.h \
	src/base/options.cc \
	src/base/options.h \
	src/base/paths.cc \
	src/base/paths.h \
	src/base/print.cc \
	src/base/print.h \
	src/base/rcu.cc \
	src/base/rcu.h \
	src/base/result.cc \
	src/base/result.h \
	src/base/sha1.cc \
	src/base/sha1.h \
	src/base/sha1_blocks.h \
	src/base/sha1_x86.cc \
	src/base/text.cc \
	src/base/text.h \
	src/base/unaligned.h \
	src/base/uuid.cc \
	src/base/uuid.h
