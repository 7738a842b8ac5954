# Checks of this project's own, one macro a subject.

# OVS_TRY_FLAGS(VARIABLE, FLAGS): appends each of FLAGS that compiler and linker take.
AC_DEFUN([OVS_TRY_FLAGS], [
  for ovs_flag in $2; do
    ovs_saved_CXXFLAGS=$CXXFLAGS
    CXXFLAGS="$CXXFLAGS -Werror $ovs_flag"
    AC_MSG_CHECKING([whether $CXX takes $ovs_flag])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes]); $1="[$]$1 $ovs_flag"], [AC_MSG_RESULT([no])])
    CXXFLAGS=$ovs_saved_CXXFLAGS
  done
])

AC_DEFUN([OVS_CXX20], [
  AC_MSG_CHECKING([whether $CXX compiles C++20])
  ovs_saved_CXXFLAGS=$CXXFLAGS
  CXXFLAGS="$CXXFLAGS -std=c++20"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
      #include <compare>
      #include <concepts>
      #include <span>
      template <class T> concept Small = sizeof(T) < 16;
      template <Small T> constexpr auto f(T a, T b) { return a <=> b; }
      static_assert(f(1, 2) < 0);
      ]], [])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no]); AC_MSG_ERROR([a C++20 compiler is needed: GCC 12 or Clang 14, or newer (set CXX)])])
  CXXFLAGS=$ovs_saved_CXXFLAGS
  OVS_CXXFLAGS="-std=c++20"
  AC_SUBST([OVS_CXXFLAGS])
])

AC_DEFUN([OVS_HARDENING], [
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [build without PIE, RELRO, stack protector, FORTIFY and library assertions])],
    [], [enable_hardening=yes])
  HARDENING_CXXFLAGS= HARDENING_LDFLAGS=
  AS_IF([test "$enable_hardening" = yes], [
    OVS_TRY_FLAGS([HARDENING_CXXFLAGS], [-fPIE -fstack-protector-strong -fstack-clash-protection])
    OVS_TRY_FLAGS([HARDENING_LDFLAGS], [-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack])
    # FORTIFY needs optimisation, and disagrees with the sanitizers' own checks.
    case " $CXXFLAGS " in
      *" -O0 "*|*-fsanitize=*) ;;
      *" -O"*) AS_IF([test -z "$enable_sanitizers" || test "$enable_sanitizers" = no],
                     [HARDENING_CXXFLAGS="$HARDENING_CXXFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"]) ;;
    esac
    HARDENING_CXXFLAGS="$HARDENING_CXXFLAGS -D_GLIBCXX_ASSERTIONS"
  ])
  AC_SUBST([HARDENING_CXXFLAGS])
  AC_SUBST([HARDENING_LDFLAGS])
])

AC_DEFUN([OVS_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers=LIST], [build with these sanitizers: "address,undefined" or "thread"])],
    [], [enable_sanitizers=no])
  AS_CASE([$enable_sanitizers],
    [no], [SANITIZER_FLAGS=],
    [yes], [SANITIZER_FLAGS="-fsanitize=address,undefined"],
    [SANITIZER_FLAGS="-fsanitize=$enable_sanitizers"])
  AS_IF([test -n "$SANITIZER_FLAGS"],
    [SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-omit-frame-pointer -fno-sanitize-recover=all"])
  AC_SUBST([SANITIZER_FLAGS])
])

AC_DEFUN([OVS_FUZZING], [
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing], [build the fuzz targets with libFuzzer (needs clang++); otherwise they replay their corpus])],
    [], [enable_fuzzing=no])
  AS_IF([test "$enable_fuzzing" = yes], [
    ovs_saved_CXXFLAGS=$CXXFLAGS
    CXXFLAGS="$CXXFLAGS -fsanitize=fuzzer-no-link"
    AC_MSG_CHECKING([whether $CXX has libFuzzer])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no]); AC_MSG_ERROR([--enable-fuzzing needs a compiler with libFuzzer: CXX=clang++])])
    CXXFLAGS=$ovs_saved_CXXFLAGS
    FUZZING_CXXFLAGS="-fsanitize=fuzzer-no-link"
    FUZZING_LDFLAGS="-fsanitize=fuzzer"
  ])
  AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
  AC_SUBST([FUZZING_CXXFLAGS])
  AC_SUBST([FUZZING_LDFLAGS])
])

AC_DEFUN([OVS_WERROR], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])], [], [enable_werror=no])
  WARNING_CXXFLAGS=
  # GCC 12 sees a wrong overlap in every `string = "literal"` at -O2 (GCC bug 105651).
  OVS_TRY_FLAGS([WARNING_CXXFLAGS], [-Wall -Wextra -Wshadow=local -Wno-missing-field-initializers -Wno-restrict])
  # With a sanitizer's instrumentation GCC loses track of what is set (its manual says so of
  # -fsanitize and -Wmaybe-uninitialized), and complains about std::regex.
  AS_IF([test -n "$SANITIZER_FLAGS"], [OVS_TRY_FLAGS([WARNING_CXXFLAGS], [-Wno-maybe-uninitialized])])
  # What the optimizer guesses about the library's templates differs from version to version, and is often wrong.
  AS_IF([test "$enable_werror" = yes], [
    WARNING_CXXFLAGS="$WARNING_CXXFLAGS -Werror"
    OVS_TRY_FLAGS([WARNING_CXXFLAGS], [-Wno-error=array-bounds -Wno-error=maybe-uninitialized])
    OVS_TRY_FLAGS([WARNING_CXXFLAGS], [-Wno-error=stringop-overflow -Wno-error=stringop-overread])
  ])
  AC_SUBST([WARNING_CXXFLAGS])
])

# Boost has no pkg-config file: look for the headers' version and the JSON library.
AC_DEFUN([OVS_BOOST], [
  AC_MSG_CHECKING([for Boost >= 1.81])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
      #include <boost/version.hpp>
      #if BOOST_VERSION < 108100
      #error too old
      #endif]], [])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([Boost 1.81 or newer is needed: libboost1.81-dev on Debian 12, dev-libs/boost on Gentoo])])
  ovs_saved_LIBS=$LIBS ovs_saved_CXXFLAGS=$CXXFLAGS
  LIBS="-lboost_json -lboost_container $LIBS" CXXFLAGS="$CXXFLAGS $OVS_CXXFLAGS"
  AC_MSG_CHECKING([for Boost.JSON])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <boost/json.hpp>]], [[return boost::json::parse("1").is_string();]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([Boost.JSON is needed: libboost-json1.81-dev on Debian 12, dev-libs/boost on Gentoo])])
  LIBS=$ovs_saved_LIBS CXXFLAGS=$ovs_saved_CXXFLAGS
  BOOST_JSON_LIBS="-lboost_json -lboost_container"
  AC_SUBST([BOOST_JSON_LIBS])
])
