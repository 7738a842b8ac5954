# OVS_AFXDP: --enable-afxdp, which the kind of device "afxdp" needs libbpf for.  By default, it is built where libbpf is.
AC_DEFUN([OVS_AFXDP], [
  AC_ARG_ENABLE([afxdp],
    [AS_HELP_STRING([--disable-afxdp], [without network devices by AF_XDP, which need libbpf @<:@enabled if it is there@:>@])],
    [], [enable_afxdp=auto])
  AS_IF([test "$enable_afxdp" != no], [
    PKG_CHECK_MODULES([LIBBPF], [libbpf >= 1.0], [have_libbpf=yes], [have_libbpf=no])
    AS_IF([test "$enable_afxdp" != auto && test "$have_libbpf" = no],
      [AC_MSG_ERROR([--enable-afxdp needs libbpf 1.0 or newer: $LIBBPF_PKG_ERRORS])])
  ], [have_libbpf=no])
  AM_CONDITIONAL([AFXDP], [test "$have_libbpf" = yes])
])
