noinst_LIBRARIES += libovs-base.a
libovs_base_a_SOURCES = \
	src/base/check.h \
	src/base/command.h \
	src/base/coverage.h \
	src/base/json.h \
	src/base/log.h \
	src/base/options.h \
	src/base/paths.h \
	src/base/result.h \
	src/base/sha1.h \
	src/base/text.h \
	src/base/uuid.h
